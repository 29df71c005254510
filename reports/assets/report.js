"use strict";
// Sorting, filtering and searching. Without this script the tables stand as they
// are, so everything here is an extra. Text only ever enters the page through
// textContent.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const text = (i) => data.texts[i];
  const PAGE = 100;
  const ROOT = "(root)";

  // Each table: its rows as plain objects, its columns, and what can be filtered.
  const account = (i) => {
    const a = data.accounts[i];
    return { id: a[0], name: a[1], ou: text(a[2]) || ROOT };
  };
  const percent = (part, whole) => (whole ? Math.floor((part * 1000) / whole) / 10 : -1);
  const tables = {
    accounts: {
      rows: data.accounts.map((a) => [a[0], a[1], text(a[2]) || ROOT, text(a[3]), a[4], percent(a[5], a[4]), a[6], a[7], a[8], a[9]]),
      columns: ["code", "name", "name", "keep", "n", "percent", "n", "bad", "gap", "n"],
      filters: [[2, "OU"], [3, "State"]],
    },
    findings: {
      rows: data.findings.map((f) => {
        const a = account(f[0]);
        return [a.id, a.name, a.ou, text(f[1]), text(f[2]), f[4], text(f[5]), [text(f[6]), text(f[8]), text(f[9])].filter(Boolean).join(" "), text(f[7])];
      }),
      columns: ["code", "name", "name", "keep", "rule", "code", "keep", "long", "keep"],
      filters: [[2, "OU"], [3, "Region"], [4, "Rule"], [6, "Remediation"]],
    },
    cells: {
      rows: data.cells.map((c) => {
        const a = account(c[0]);
        return [a.id, a.name, a.ou, text(c[1]), text(c[2]), text(c[3]), c[4], text(c[8]), text(c[5]), text(c[6]), text(c[7])];
      }),
      columns: ["code", "name", "name", "keep", "rule", "status", "n", "long", "keep", "keep", "keep"],
      filters: [[5, "Status"], [2, "OU"], [3, "Region"], [4, "Rule"]],
    },
  };

  const element = (name, attributes, content) => {
    const e = document.createElement(name);
    for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
    if (content !== undefined) e.textContent = content;
    return e;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0);

  function sortable(table, onSort) {
    table.querySelectorAll("thead th").forEach((th, column) => {
      // Not a <button>: Chromium leaves buttons out of a header repeated on paper.
      const button = element("span", { role: "button", tabindex: "0" }, th.textContent);
      th.textContent = "";
      th.append(button);
      th.setAttribute("aria-sort", "none");
      button.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        button.click();
      });
      button.addEventListener("click", () => {
        const ascending = th.getAttribute("aria-sort") !== "ascending";
        table.querySelectorAll("thead th").forEach((other) => other.setAttribute("aria-sort", "none"));
        th.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        onSort(column, ascending ? 1 : -1);
      });
    });
  }

  function cell(kind, value) {
    if (kind === "status") {
      const td = element("td");
      td.append(element("span", { class: "status k-" + data.kinds[value] }, data.words[value]));
      return td;
    }
    if (kind === "percent") return element("td", { class: "n" }, value < 0 ? "" : value.toFixed(1) + " %");
    if (kind === "bad" || kind === "gap") return element("td", { class: "n" + (value ? " is-" + kind : "") }, value);
    return element("td", kind ? { class: kind } : {}, value);
  }

  function start(name) {
    const spec = tables[name];
    const table = document.querySelector(`table[data-table="${name}"]`);
    const tools = document.querySelector(`[data-tools="${name}"]`);
    if (!table || !tools) return;
    const caption = table.closest("section").querySelector("h2").textContent;
    const state = { search: "", chosen: {}, column: -1, direction: 1, page: 0 };
    const lower = spec.rows.map((r) => r.join("\u0001").toLowerCase());

    const search = element("input", { type: "search", placeholder: "Search", "aria-label": "Search in " + caption });
    search.addEventListener("input", () => { state.search = search.value.trim().toLowerCase(); state.page = 0; draw(); });
    tools.append(search);
    for (const [column, label] of spec.filters) {
      const values = [...new Set(spec.rows.map((r) => r[column]))].sort(compare);
      if (values.length < 2) continue;
      const select = element("select", { "aria-label": label + " in " + caption });
      select.append(element("option", { value: "" }, label + ": all"));
      const isStatus = spec.columns[column] === "status";
      values.forEach((v, i) => select.append(element("option", { value: String(i + 1) }, isStatus ? data.words[v] : v || "(none)")));
      select.addEventListener("change", () => {
        if (select.value) state.chosen[column] = values[Number(select.value) - 1];
        else delete state.chosen[column];
        state.page = 0;
        draw();
      });
      tools.append(select);
    }
    const before = element("button", { type: "button", "aria-label": "Previous page of " + caption }, "\u2190");
    const after = element("button", { type: "button", "aria-label": "Next page of " + caption }, "\u2192");
    const count = element("output", { "aria-live": "polite" });
    before.addEventListener("click", () => { state.page--; draw(); });
    after.addEventListener("click", () => { state.page++; draw(); });
    tools.append(before, after, count);
    tools.hidden = false;
    sortable(table, (column, direction) => { state.column = column; state.direction = direction; state.page = 0; draw(); });

    const body = table.tBodies[0];
    const rest = table.closest("section").querySelector(".rest");
    if (rest) rest.remove();
    function draw() {
      // An OU chosen is that OU and everything below it, as on the command line.
      const fits = (row) => Object.entries(state.chosen).every(([c, v]) => row[c] === v || (Number(c) === 2 && (v === ROOT || String(row[c]).startsWith(v + "/"))));
      let rows = [];
      for (let i = 0; i < spec.rows.length; i++) {
        if ((!state.search || lower[i].includes(state.search)) && fits(spec.rows[i])) rows.push(spec.rows[i]);
      }
      if (state.column >= 0) rows = rows.slice().sort((a, b) => state.direction * compare(a[state.column], b[state.column]));
      const pages = Math.max(1, Math.ceil(rows.length / PAGE));
      state.page = Math.min(Math.max(state.page, 0), pages - 1);
      const from = state.page * PAGE;
      body.replaceChildren(...rows.slice(from, from + PAGE).map((row) => {
        const tr = document.createElement("tr");
        row.forEach((value, i) => tr.append(cell(spec.columns[i], value)));
        return tr;
      }));
      before.disabled = state.page === 0;
      after.disabled = state.page >= pages - 1;
      const shown = rows.length ? `${from + 1}–${Math.min(from + PAGE, rows.length)} of ${rows.length}` : "none";
      count.textContent = rows.length === spec.rows.length ? shown : `${shown} (${spec.rows.length} in all)`;
    }
    draw();
  }

  // Small tables are sorted where they stand.
  document.querySelectorAll("table[data-sortable]").forEach((table) => {
    const key = (tr, column) => {
      const c = tr.cells[column];
      const value = c.dataset.sort !== undefined ? c.dataset.sort : c.textContent.trim();
      const number = parseFloat(value);
      return c.classList.contains("n") ? (isNaN(number) ? -1 : number) : value;
    };
    sortable(table, (column, direction) => {
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => direction * compare(key(a, column), key(b, column)));
      table.tBodies[0].append(...rows);
    });
  });
  Object.keys(tables).forEach(start);
  document.body.dataset.ready = "true";
})();
