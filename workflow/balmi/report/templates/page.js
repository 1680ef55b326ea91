(() => {
  const root = document.documentElement;
  document.querySelectorAll("[data-script]").forEach((element) => { element.hidden = false; });
  document.getElementById("theme").addEventListener("click", () => {
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
  document.querySelectorAll("[data-filter]").forEach((input) => input.addEventListener("input", () => {
    for (const row of document.getElementById(input.dataset.filter).tBodies[0].rows)
      row.hidden = !row.textContent.toLowerCase().includes(input.value.trim().toLowerCase());
  }));
  document.querySelectorAll("table.sortable thead th").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const numeric = "good" in head.dataset, first = head.dataset.good === "more" ? "descending" : "ascending";
    const of = (row) => (numeric ? row.cells[head.cellIndex].dataset.value : row.cells[head.cellIndex].textContent.trim());
    button.addEventListener("click", () => {
      const old = head.getAttribute("aria-sort"), body = head.closest("table").tBodies[0];
      const order = old ? (old === "ascending" ? "descending" : "ascending") : first;
      head.parentElement.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1, empty = (x) => x === "" || x === undefined;
      const compare = (a, b) => (numeric ? a - b : a.localeCompare(b)) * sign;
      body.append(...[...body.rows].sort((a, b) => (empty(of(a)) - empty(of(b))) || compare(of(a), of(b))));
    });
  });
})();
