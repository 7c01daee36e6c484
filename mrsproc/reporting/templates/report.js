"use strict";
(() => {
  const payload = JSON.parse(document.getElementById("payload").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  // Only what stays on this computer: no button that sends a figure anywhere.
  const config = () => ({
    displaylogo: false, responsive: true, displayModeBar: window.innerWidth > 600,
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  });
  const PAPER = { height: 0.66, font: 0.75 };  // figures do not break over pages: smaller ones fit
  let printing = false;

  // Colours are names such as "@data": the style sheet says what they are. Labels are left alone.
  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    return (name) => style.getPropertyValue(`--${name}`).trim();
  };
  const resolved = (value, colour, key = "") => {
    if (typeof value === "string")
      return key.endsWith("color") && value.startsWith("@") ? colour(value.slice(1)) : value;
    if (Array.isArray(value)) return value.map((item) => resolved(item, colour, key));
    if (value && typeof value === "object") {
      if ("bdata" in value) return value;
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolved(item, colour, name)]));
    }
    return value;
  };
  const layout = (given, colour) => {
    const axis = { gridcolor: colour("edge"), zerolinecolor: colour("edge"), linecolor: colour("edge"), automargin: true };
    const whole = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
      font: { color: colour("ink"), family: getComputedStyle(document.body).fontFamily, size: 13 },
      margin: { l: 55, r: 12, t: 8, b: 45 },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("quiet"), activecolor: colour("accent") },
      hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("edge"), font: { color: colour("ink") } },
      ...resolved(given, colour),
    };
    for (const key of ["xaxis", "yaxis", ...Object.keys(whole).filter((name) => /^[xy]axis\d+$/.test(name))])
      whole[key] = { ...axis, ...whole[key] };
    if (printing) {
      whole.height *= PAPER.height;
      for (const one of [whole, ...(whole.annotations || [])]) one.font = { ...one.font, size: one.font.size * PAPER.font };
    }
    return whole;
  };
  // A figure that is fitted to another width takes its height from its element.
  const show = (target, data, whole) => {
    target.style.height = `${whole.height}px`;
    Plotly.react(target, data, whole, config());
  };
  const draw = (id, figure) => {
    const target = document.getElementById(id);
    if (!target || !figure) return;
    const colour = colours();
    show(target, resolved(figure.data, colour), layout(figure.layout, colour));
  };

  const integers = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Int16Array(bytes.buffer);
  };
  const slider = document.getElementById("slider");
  const stacks = {};
  let ppm = null;
  if (payload.spectra) {
    const bytes = Uint8Array.from(atob(payload.spectra.ppm.bdata), (letter) => letter.charCodeAt(0));
    ppm = new Float32Array(bytes.buffer);
    for (const key of ["before", "after"])
      if (payload.spectra[key]) stacks[key] = integers(payload.spectra[key]);
  }
  const spectrum = () => {
    if (!payload.spectra) return;
    const row = slider ? Number(slider.value) : 0, size = payload.spectra.points;
    const style = { before: ["before", "@residual", 1], after: [stacks.before ? "after" : "spectrum", "@baseline", 1.4] };
    const traces = Object.keys(stacks).map((key) => ({
      type: "scatter", mode: "lines", x: ppm, y: stacks[key].subarray(row * size, (row + 1) * size),
      name: style[key][0], line: { color: style[key][1], width: style[key][2] }, hoverinfo: "x+name",
    }));
    const colour = colours();
    const target = document.getElementById("plot-spectra");
    const data = traces.map((trace) => ({ ...trace, line: resolved(trace.line, colour) }));
    show(target, data, layout({
      xaxis: { title: { text: "chemical shift (ppm)" }, range: [ppm[0], ppm[ppm.length - 1]] },
      yaxis: { visible: false, range: [payload.spectra.low, payload.spectra.high] }, height: 360, uirevision: "kept", showlegend: true,
    }, colour));
    if (!slider) return;
    document.getElementById("slider-text").textContent = payload.spectra.labels[row];
    slider.setAttribute("aria-valuetext", payload.spectra.labels[row]);
  };

  // What depends on a choice: figures by data-choices, other parts by data-for and data-value.
  const value = (id) => document.getElementById(id).value;
  const choose = () => {
    for (const [id, figures] of Object.entries(payload.choices)) {
      const target = document.getElementById(`plot-${id}`);
      if (target) draw(`plot-${id}`, figures[target.dataset.choices.split(" ").map(value).join(" ")]);
    }
    for (const part of document.querySelectorAll("[data-for]"))
      part.hidden = value(part.dataset.for) !== part.dataset.value;
    for (const text of document.querySelectorAll("[data-of]")) text.textContent = value(text.dataset.of);
  };
  const all = () => {
    for (const [key, figure] of Object.entries(payload.figures)) draw(`plot-${key}`, figure);
    spectrum();
    choose();
  };
  if (slider) slider.addEventListener("input", spectrum);
  for (const select of document.querySelectorAll("select")) select.addEventListener("change", choose);
  dark.addEventListener("change", all);
  // Paper is narrower than a screen, and always light.
  const resize = () => { for (const plot of document.querySelectorAll(".js-plotly-plot")) Plotly.Plots.resize(plot); };
  const open = () => { for (const details of document.querySelectorAll("details")) details.open = true; };
  window.addEventListener("beforeprint", () => { printing = true; open(); all(); resize(); });
  window.addEventListener("afterprint", () => { printing = false; all(); resize(); });

  const copy = document.getElementById("copy");
  if (navigator.clipboard && window.isSecureContext) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById("methods-text").textContent);
      copy.textContent = "Copied";
    });
  }
  all();
  document.documentElement.dataset.drawn = "yes";
})();
