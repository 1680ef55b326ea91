// The address may choose the order and what is shown: ?sort=difference&order=descending&find=brca
(() => {
  const asked = new URLSearchParams(location.search);
  const heads = [...document.querySelectorAll("[data-key]")];
  const head = heads.find((each) => each.dataset.key === asked.get("sort"));
  if (head) {
    const button = head.querySelector("button");
    button.click();
    if (asked.has("order") && head.getAttribute("aria-sort") !== asked.get("order")) button.click();
  }
  const find = document.querySelector("[data-filter='datasets-table']");
  if (find && asked.has("find")) {
    find.value = asked.get("find");
    find.dispatchEvent(new Event("input"));
  }
  document.querySelectorAll("[data-sort]").forEach((link) => {
    if (link.dataset.sort === asked.get("sort")) link.setAttribute("aria-current", "true");
  });
})();
