"use strict";
// A button in the heading of each column sorts the rows of a table: ascending, descending, and back to the order of the page.
// Rows that are set apart, such as untrained models, keep their place below the others.

const NUMBER = /^[+-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?/i;

function sortKey(cell) {
  const text = cell.textContent.trim().replace(/^< /, "").replace(/^−/, "-");
  const number = NUMBER.exec(text);
  return { text, number: number ? Number(number[0].replaceAll(",", "")) : null };
}

// Cells without a number, such as a dash, come last in either direction.
function compare(first, second, sign) {
  if (first.number !== null && second.number !== null) return sign * (first.number - second.number);
  if ((first.number === null) !== (second.number === null)) return first.number === null ? 1 : -1;
  return sign * first.text.localeCompare(second.text, "en", { numeric: true });
}

function sortRows(body, place, direction, original) {
  const rows = original.get(body);
  const sorted = rows.map((row) => ({ row, key: sortKey(row.cells[place]) }));
  if (direction !== "none") {
    const sign = direction === "ascending" ? 1 : -1;
    sorted.sort((first, second) => compare(first.key, second.key, sign));
  }
  body.append(...sorted.map((entry) => entry.row));
}

function makeSortable(table) {
  const bodies = [...table.tBodies];
  const original = new Map(bodies.map((body) => [body, [...body.rows]]));
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")] ?? "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (next !== "none") head.setAttribute("aria-sort", next);
      bodies.forEach((body) => sortRows(body, place, next, original));
    });
  });
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
