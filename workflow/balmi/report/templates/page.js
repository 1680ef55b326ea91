(() => {
  const root = document.documentElement;
  document.querySelectorAll("[data-script]").forEach((element) => { element.hidden = false; });
  document.getElementById("theme").addEventListener("click", () => {
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
  // Snakemake's zipped report keeps every file in a folder of its own.
  if (location.pathname.includes("/data/raw/"))
    document.querySelectorAll("[data-within]").forEach((link) => { link.href = link.dataset.within; });
  // A row stays where its text, or the name behind a shortened one, has what was typed, and where it is of what was chosen.
  const filters = [...document.querySelectorAll("[data-filter]")];
  const text = (row) => [row.textContent, ...[...row.querySelectorAll("[title]")].map((part) => part.title)].join(" ").toLowerCase();
  const keeps = ({ value, dataset }, row) => (dataset.key ? !value || row.dataset[dataset.key] === value : text(row).includes(value.trim().toLowerCase()));
  filters.forEach((input) => input.addEventListener("input", () => {
    const active = filters.filter((other) => other.dataset.filter === input.dataset.filter);
    for (const table of document.querySelectorAll(`#${input.dataset.filter}, [data-beside="${input.dataset.filter}"]`))
      for (const row of table.tBodies[0].rows)
        row.hidden = !active.every((other) => keeps(other, row));
  }));
  document.querySelectorAll("[data-pick]").forEach((box) => box.addEventListener("change", () => {
    for (const part of box.closest("section").querySelectorAll(`[data-class="${box.dataset.pick}"]`))
      part.toggleAttribute("hidden", !box.checked);
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
