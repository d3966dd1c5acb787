// Sorts a table by a click (or Enter) on a heading: first ascending, then descending; missing values stay below.
for (const table of document.querySelectorAll("table")) {
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells], body = table.tBodies[0];
  if (table.tHead.rows.length > 1) table.tHead.rows[0].className = "groups";
  for (const group of table.querySelectorAll(".groups th")) if (group.innerText.startsWith("paper")) group.classList.add("paper", "first");
  const key = (row, column) => row.cells[column].innerText.trim().split("\n")[0].replaceAll(",", "").replace("−", "-");
  headings.forEach((heading, column) => {
    heading.classList.add(...[...body.rows[0].cells[column].classList].filter((name) => ["number", "paper", "first"].includes(name)));
    heading.innerHTML = `<button type="button">${heading.innerHTML}</button>`;
    heading.setAttribute("aria-sort", "none");
    heading.firstChild.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.setAttribute("aria-sort", "none"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const missing = (value) => value === "–" || value === "";
      const compare = (a, b) => {
        if (missing(a) || missing(b)) return missing(a) - missing(b);
        const order = isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b;
        return down ? -order : order;
      };
      [...body.rows].sort((a, b) => compare(key(a, column), key(b, column))).forEach((row) => body.append(row));
    });
  });
}

// Draws the charts of a study when they come into sight; Plotly is unpacked for the first one.
const packed = document.getElementById("plots"), plots = [...document.querySelectorAll(".plot")];
let plotly;
async function unpack() {
  const bytes = Uint8Array.from(atob(packed.textContent), (letter) => letter.charCodeAt(0));
  const script = document.createElement("script");
  script.textContent = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  document.head.append(script);
}
const seen = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach(async ({ target }) => {
  seen.unobserve(target);
  await (plotly ??= unpack());
  const { data, layout } = PLOTS[plots.indexOf(target)], style = getComputedStyle(target);
  const line = style.getPropertyValue("--line");
  layout.font = { color: style.color, family: style.fontFamily, size: 11 };
  for (const axis of [layout.xaxis, layout.yaxis]) if (axis) Object.assign(axis, { gridcolor: line, linecolor: line, zerolinecolor: line });
  Plotly.newPlot(target, data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
}));
plots.forEach((plot) => seen.observe(plot));
