// Its syntax is that of 2018: of a script that a browser cannot read nothing runs, and 'more' would stay empty.
(() => {
  const root = document.documentElement;
  const unhide = () => document.querySelectorAll("[data-script]").forEach((element) => { element.hidden = false; });
  unhide();
  document.getElementById("theme").addEventListener("click", () => {
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
  // What stands below the first screen is parsed once that is painted: until then it is text, of which a browser
  // that runs no scripts makes the same elements at once. What needs it earlier completes the page.
  const waiting = document.querySelectorAll("main noscript");
  let completed = false;
  const complete = () => {
    if (completed) return;
    completed = true;
    waiting.forEach((held) => { held.outerHTML = held.textContent; });
    furnish();
  };
  // A link leads into what is closed: it is opened, with all around it.
  const reveal = (id) => {
    if (!id) return;
    complete();
    const target = document.getElementById(decodeURIComponent(id));
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part.matches("details")) part.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", () => reveal(location.hash.slice(1)));
  document.addEventListener("click", ({ target }) => {
    const link = target.closest("a[href^='#']");
    if (link && link.hash === location.hash) reveal(link.hash.slice(1));
  });
  // Print is whole.
  let closed = [];
  addEventListener("beforeprint", () => { complete(); closed = [...document.querySelectorAll("details:not([open])")]; closed.forEach((part) => { part.open = true; }); });
  addEventListener("afterprint", () => { closed.forEach((part) => { part.open = false; }); });
  // The contents mark the section that the reader is in: the last one that begins above the upper third.
  const marks = new Map([...document.querySelectorAll("nav a")].map((link) => [document.getElementById(link.hash.slice(1)), link]));
  const mark = () => {
    const begun = [...marks.keys()].filter((section) => section && section.getBoundingClientRect().top < innerHeight / 3);
    const here = marks.get(begun.pop() || marks.keys().next().value);
    for (const link of marks.values()) link === here ? link.setAttribute("aria-current", "location") : link.removeAttribute("aria-current");
  };
  if (marks.size) addEventListener("scroll", mark, { passive: true });
  // All that the script adds to the page, once the whole page is there.
  const furnish = () => {
    unhide();
    if (marks.size) mark();
    // Snakemake's zipped report keeps every file in a folder of its own.
    if (location.pathname.includes("/data/raw/"))
      document.querySelectorAll("[data-within]").forEach((link) => { link.href = link.dataset.within; });
    // Files of a figure: what is seen, in the colours of the light page, with its legend and its title.
    const save = (uri, name) => { const link = document.createElement("a"); link.href = uri; link.download = name; link.click(); };
    const COLOUR = /var\(--([a-z]+)\)/g, PAD = 16, LINE = 20;
    const measure = document.createElement("canvas").getContext("2d");
    const element = (name, attributes, text) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const key in attributes) made.setAttribute(key, attributes[key]);
      if (text) made.textContent = text;
      return made;
    };
    const size = (svg) => svg.viewBox.baseVal.width ? svg.viewBox.baseVal : { width: +svg.getAttribute("width"), height: +svg.getAttribute("height") };
    const words = (part) => (part ? part.textContent : "");
    const alone = (figure) => {
      const parts = [...figure.querySelectorAll("svg:not(.swatch)")], whole = element("svg", { "font-family": "Arial, sans-serif" });
      const title = words(figure.querySelector("figcaption > p:not(.tools)")) || words(parts[0].querySelector("title"));
      measure.font = "bold 13px Arial";
      const width = Math.max(...parts.map((part) => size(part).width), measure.measureText(title).width) + 2 * PAD;
      let y = PAD;
      const write = (text, x, look) => whole.append(element("text", { x, y: y + 14, fill: "var(--ink)", "font-size": 13, ...look }, text));
      write(title, PAD, { "font-weight": "bold" });
      y += LINE + 6;
      let x = PAD;
      for (const item of figure.querySelectorAll(".legend li")) {
        const swatch = item.querySelector("svg"), text = item.textContent.trim();
        measure.font = "13px Arial";
        const wide = measure.measureText(text).width * 1.1 + 46;
        if (x > PAD && x + wide > width) { x = PAD; y += LINE; }
        if (swatch) { const copy = swatch.cloneNode(true); copy.setAttribute("x", x); copy.setAttribute("y", y + 10 - swatch.getAttribute("height") / 2); whole.append(copy); }
        write(text, x + (swatch ? 34 : 0), {});
        x += wide;
      }
      if (x > PAD) y += LINE + 6;
      for (const part of parts) {
        if (parts.length > 1) { write(words(part.querySelector("title")), PAD, {}); y += LINE; }
        const copy = part.cloneNode(true), { width: wide, height } = size(part);
        for (const [key, value] of Object.entries({ x: PAD, y, width: wide, height })) copy.setAttribute(key, value);
        whole.append(copy);
        y += height + PAD;
      }
      whole.prepend(element("rect", { width, height: y, fill: "var(--bg)" }));
      for (const [key, value] of Object.entries({ width, height: y, viewBox: `0 0 ${width} ${y}` })) whole.setAttribute(key, value);
      const theme = root.dataset.theme;
      root.dataset.theme = "light";
      const style = getComputedStyle(root), text = new XMLSerializer().serializeToString(whole).replace(COLOUR, (_, key) => style.getPropertyValue(`--${key}`).trim());
      if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
      return { text, width, height: y };
    };
    const uri = (text) => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    const kinds = {
      svg: ({ text }, name) => save(uri(text), `${name}.svg`),
      png: ({ text, width, height }, name) => {
        const picture = new Image(), canvas = document.createElement("canvas");
        picture.onload = () => {
          canvas.width = 3 * width; canvas.height = 3 * height;
          canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
          save(canvas.toDataURL("image/png"), `${name}.png`);
        };
        picture.src = uri(text);
      },
    };
    document.querySelectorAll("[data-save]").forEach((button) => button.addEventListener("click", () => {
      const figure = button.closest("figure");
      kinds[button.dataset.save](alone(figure), figure.id.replace("figure-", `${document.body.dataset.name}-`));
    }));
    // The data of a figure are fetched where the page offers them, and else shown where they are named.
    document.querySelectorAll("[data-fetch]").forEach((link) => link.addEventListener("click", (event) => {
      const offered = document.querySelector(`${link.hash} a[download]`);
      if (offered) { event.preventDefault(); offered.click(); }
    }));
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
      const section = box.closest("section");
      for (const part of section.querySelectorAll(`[data-class="${box.dataset.pick}"]`)) part.toggleAttribute("hidden", !box.checked);
      for (const other of section.querySelectorAll(`[data-pick="${box.dataset.pick}"]`)) other.checked = box.checked;
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
    // What each modality says of a sample that the reader names: from the table that the page offers, if it does.
    const pick = document.getElementById("samples-pick"), offered = document.querySelector("#data-per_sample a[download]");
    if (pick && offered) {
      const input = pick.querySelector("input"), status = pick.querySelector("[role=status]");
      let rows;
      const unpacked = async () => {
        const bytes = Uint8Array.from(atob(offered.href.split(",")[1]), (letter) => letter.charCodeAt(0));
        if (!offered.download.endsWith(".gz")) return new TextDecoder().decode(bytes);
        return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
      };
      const read = async () => {
        const lines = [[]];
        for (const [, quoted, plain, end] of (await unpacked()).matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
          lines[lines.length - 1].push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
          if (end === "\n") lines.push([]);
        }
        const head = lines.shift();
        rows = new Map(lines.filter((cells) => cells.length === head.length).map((cells) => [cells[0], new Map(cells.map((cell, place) => [head[place], cell]))]));
        pick.querySelector("datalist").append(...[...rows.keys()].map((name) => new Option(name)));
      };
      const add = (parent, tag, text) => { const made = document.createElement(tag); made.textContent = text; parent.append(made); return made; };
      const tell = () => {
        status.replaceChildren();
        const typed = input.value.trim().toLowerCase(), close = typed ? [...rows.keys()].filter((name) => name.toLowerCase().includes(typed)) : [];
        const exact = close.find((name) => name.toLowerCase() === typed), name = exact !== undefined || close.length !== 1 ? exact : close[0];
        if (!typed) return;
        if (name === undefined) { add(status, "p", close.length ? `${close.length} samples have this in their name.` : "No sample has this in its name."); return; }
        const row = rows.get(name), table = add(status, "table", ""), body = add(table, "tbody", "");
        const label = row.get("class"), group = row.get("group");
        add(table, "caption", `${name}: class ${label}${group && `, group ${group}`}; ${row.get("wrong")} of ${row.get("methods")} methods miss it`);
        const says = [["all modalities", row.get("predicted"), row.get("predicted_p")]];
        for (const [key, told] of row) if (key.startsWith("predicted:")) says.push([key.slice(10), told, row.get(`probability:${key.slice(10)}`)]);
        for (const [who, told, p] of says) {
          const line = add(body, "tr", "");
          add(line, "th", who).scope = "row";
          add(line, "td", told ? `${told === label ? "✓ " : ""}${told}` : "nothing").className = "text";
          add(line, "td", p ? (+p).toFixed(3) : "–");
        }
      };
      pick.hidden = !("DecompressionStream" in window && "replaceChildren" in pick);
      let reading;
      const ready = () => (reading = reading || read());
      input.addEventListener("focus", ready);
      input.addEventListener("input", async () => { await ready(); tell(); });
    }
  };
  if (waiting.length) requestAnimationFrame(() => setTimeout(complete));
  else complete();
  reveal(location.hash.slice(1));
})();
