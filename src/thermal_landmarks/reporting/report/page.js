// Sorts a table by a click (or Enter) on a heading: first ascending, then descending; missing values stay below.
for (const table of document.querySelectorAll("table")) {
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  headings.forEach((heading, column) => heading.querySelector("button").addEventListener("click", () => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    headings.forEach((other) => other.setAttribute("aria-sort", "none"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0], key = (row) => row.cells[column].dataset.value ?? row.cells[column].innerText.trim();
    const missing = (value) => value === "–" || value === "";
    const compare = (a, b) => {
      if (missing(a) || missing(b)) return missing(a) - missing(b);
      const order = isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b;
      return down ? -order : order;
    };
    [...body.rows].sort((a, b) => compare(key(a), key(b))).forEach((row) => body.append(row));
  }));
}
