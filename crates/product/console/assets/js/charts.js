// Draws each plot of the page from the data in its `application/json` block. The server says
// what is plotted; how it looks is said here, in the colours of the current theme.
(() => {
  "use strict";
  if (!window.echarts) return;

  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const shapes = ["circle", "diamond", "triangle", "rect", "pin", "arrow", "roundRect", "emptyCircle"];
  const drawn = new Map();

  // A colour as the theme has it: `light-dark()` is resolved by the browser on a probe.
  const palette = (scheme) => {
    const probe = document.createElement("span");
    probe.hidden = true;
    if (scheme) probe.style.colorScheme = scheme;
    document.body.append(probe);
    const read = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const names = ["ink", "ink-2", "ink-3", "rule", "rule-strong", "surface", "sunken", "fail", "fail-soft",
      "heat-low", "heat-mid", "heat-high"];
    const colours = Object.fromEntries(names.map((name) => [name, read(name)]));
    colours.series = Array.from({ length: 8 }, (_, index) => read(`series-${index + 1}`));
    probe.remove();
    return colours;
  };

  const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`;
  const number = (value) => Number(value).toLocaleString("en", { maximumFractionDigits: 4 });
  const shown = (axis, value) => (value == null ? "undefined" : axis.percent ? percent(value) : number(value));
  const count = (value) => Number(value).toLocaleString("en");
  const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

  const base = (spec, colours, narrow) => ({
    animation: !still,
    animationDuration: 350,
    color: colours.series,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colours["ink-2"] },
    aria: { enabled: true, decal: { show: true }, label: { description: spec.description } },
    tooltip: {
      renderMode: "richText",
      confine: true,
      backgroundColor: colours.surface,
      borderColor: colours["rule-strong"],
      textStyle: { color: colours.ink, fontSize: 12, lineHeight: 18 },
    },
    legend: { show: false },
    grid: { left: narrow ? 104 : 168, right: 24, top: 14, bottom: 44 },
  });

  const valueAxis = (axis, colours) => ({
    type: "value",
    min: axis.min ?? undefined,
    max: axis.max ?? undefined,
    name: axis.label,
    nameLocation: "middle",
    nameGap: 28,
    nameTextStyle: { color: colours["ink-2"], fontSize: 12 },
    axisLabel: { color: colours["ink-3"], fontSize: 11, hideOverlap: true,
      formatter: (value) => (axis.percent ? percent(value, 0) : number(value)) },
    splitLine: { lineStyle: { color: colours.rule } },
  });

  const legend = (option, spec, colours, names) => {
    if (names.length < 2) return;
    option.legend = { show: true, type: "scroll", top: 0, left: 0, itemWidth: 14, itemHeight: 9, icon: undefined,
      textStyle: { color: colours["ink-2"], fontSize: 12 }, pageTextStyle: { color: colours["ink-3"] },
      pageIconColor: colours.ink, data: names };
    option.grid.top = 40;
  };

  // A dot with its whisker for each group, one row a group.
  const intervals = (spec, colours, narrow) => {
    const option = base(spec, colours, narrow);
    const width = narrow ? 92 : 152;
    const many = spec.series.length;
    option.yAxis = {
      type: "category",
      inverse: true,
      data: spec.rows.map((row) => row.label),
      axisLine: { lineStyle: { color: colours["rule-strong"] } },
      axisTick: { show: false },
      axisLabel: {
        color: colours.ink, fontSize: 12, width, overflow: "truncate", interval: 0, lineHeight: 15,
        formatter: (label, index) => `${cut(label, narrow ? 15 : 26)}\n{n|n = ${count(spec.rows[index].n)}}`,
        rich: { n: { color: colours["ink-3"], fontSize: 10.5, lineHeight: 13 } },
      },
    };
    option.xAxis = valueAxis(spec.axis, colours);
    option.tooltip.trigger = "item";
    const draw = (index) => (params, api) => {
      const row = api.value(0);
      const value = api.value(1);
      if (Number.isNaN(value)) return null;
      const colour = colours.series[index % 8];
      const spread = Math.min(15, api.size([0, 1])[1] / (many + 1));
      const shift = (index - (many - 1) / 2) * spread;
      const [x, y0] = api.coord([value, row]);
      const y = y0 + shift;
      const children = [];
      const low = api.value(2);
      const high = api.value(3);
      if (!Number.isNaN(low) && !Number.isNaN(high)) {
        const from = api.coord([low, row])[0];
        const to = api.coord([high, row])[0];
        const style = { stroke: colour, lineWidth: 2, fill: undefined };
        const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
        children.push(line(from, y, to, y), line(from, y - 4, from, y + 4), line(to, y - 4, to, y + 4));
      }
      const style = { fill: colour, stroke: colours.surface, lineWidth: 1 };
      children.push(index % 2 === 0
        ? { type: "circle", shape: { cx: x, cy: y, r: 5 }, style }
        : { type: "polygon", shape: { points: [[x, y - 6], [x + 6, y], [x, y + 6], [x - 6, y]] }, style });
      return { type: "group", children };
    };
    option.series = spec.series.map((name, index) => ({
      type: "custom",
      name,
      itemStyle: { color: colours.series[index % 8] },
      dimensions: ["row", "value", "low", "high"],
      encode: { x: [1, 2, 3], y: 0, tooltip: [1, 2, 3] },
      data: spec.rows.map((row, at) => {
        const cell = row.values[index] || {};
        return [at, cell.value ?? NaN, cell.low ?? NaN, cell.high ?? NaN];
      }),
      renderItem: draw(index),
      tooltip: {
        formatter: (params) => {
          const row = spec.rows[params.data[0]];
          const cell = row.values[index];
          const range = cell.low == null ? "" : `\n${spec.interval} ${shown(spec.axis, cell.low)} to ${shown(spec.axis, cell.high)}`;
          return `${row.label}\n${name}: ${shown(spec.axis, cell.value)}${range}\nn = ${count(row.n)}`;
        },
      },
    }));
    if (spec.mark) {
      option.series.push({
        type: "line", data: [], silent: true, tooltip: { show: false },
        markLine: {
          silent: true, symbol: "none", animation: false,
          lineStyle: { color: colours["ink-3"], type: "dashed", width: 1.5 },
          label: { formatter: spec.mark.label, color: colours["ink-2"], fontSize: 11, position: "start", rotate: 0, distance: 4 },
          data: [{ xAxis: spec.mark.value }],
        },
      });
    }
    legend(option, spec, colours, spec.series);
    if (spec.mark) option.grid.top = 24;
    return option;
  };

  // Observed rate over mean score in each bin, one line a group; the diagonal is ideal.
  const calibration = (spec, colours, narrow) => {
    const option = base(spec, colours, narrow);
    option.grid = { left: 54, right: 20, top: 14, bottom: 46 };
    option.xAxis = valueAxis({ label: spec.x_label, min: 0, max: 1, percent: false }, colours);
    option.yAxis = { ...valueAxis({ label: spec.y_label, min: 0, max: 1, percent: false }, colours), nameGap: 36 };
    option.tooltip.trigger = "item";
    option.series = spec.series.map((series, index) => ({
      type: "line",
      name: series.name,
      data: series.points.map((point) => ({ value: [point.score, point.rate], n: point.n, low: point.low, high: point.high })),
      symbol: shapes[index % 8],
      // A point that stands on few rows is a small one.
      symbolSize: (value, params) => Math.min(12, 3 + 2 * Math.log10(Math.max(1, params.data.n))),
      lineStyle: { width: 2, type: index < 8 ? "solid" : "dashed" },
      itemStyle: { color: colours.series[index % 8] },
      tooltip: {
        formatter: (params) => `${series.name}\nmean score ${number(params.value[0])}, observed ${percent(params.value[1])}` +
          (params.data.low == null ? "" : `\n${spec.interval} ${percent(params.data.low)} to ${percent(params.data.high)}`) +
          `\nn = ${count(params.data.n)}`,
      },
    }));
    option.series.push({
      type: "line", name: "ideal", data: [[0, 0], [1, 1]], symbol: "none", silent: true, tooltip: { show: false },
      lineStyle: { color: colours["rule-strong"], type: "dashed", width: 1.5 },
    });
    legend(option, spec, colours, spec.series.map((series) => series.name));
    return option;
  };

  // One cell for each meeting of groups. Ink on a cell is chosen for contrast.
  const heatmap = (spec, colours, narrow) => {
    const option = base(spec, colours, narrow);
    const values = spec.cells.filter((cell) => cell.value != null).map((cell) => cell.value);
    const low = Math.min(...values);
    const high = Math.max(...values);
    option.grid = { left: narrow ? 100 : 160, right: 16, top: 8, bottom: 92 };
    const labels = { color: colours.ink, fontSize: 12, interval: 0, overflow: "truncate" };
    option.xAxis = { type: "category", data: spec.x, splitArea: { show: true, areaStyle: { color: [colours.sunken] } },
      axisLabel: { ...labels, rotate: spec.x.length > 5 ? 35 : 0, width: 110 }, axisTick: { show: false },
      axisLine: { lineStyle: { color: colours["rule-strong"] } } };
    option.yAxis = { type: "category", data: spec.y, inverse: true,
      axisLabel: { ...labels, width: narrow ? 90 : 148 }, axisTick: { show: false },
      axisLine: { lineStyle: { color: colours["rule-strong"] } } };
    option.visualMap = { type: "continuous", min: low, max: high > low ? high : low + 0.01, calculable: false,
      orient: "horizontal", left: "center", bottom: 4, itemWidth: 12, itemHeight: 140, text: [shown(spec.axis, high), shown(spec.axis, low)],
      textStyle: { color: colours["ink-2"], fontSize: 11 }, inRange: { color: [colours["heat-low"], colours["heat-mid"], colours["heat-high"]] } };
    const middle = low + 0.62 * (high - low);
    option.series = [{
      type: "heatmap",
      data: spec.cells.filter((cell) => cell.value != null).map((cell) => ({ value: [cell.x, cell.y, cell.value], cell,
        label: { color: cell.value > middle ? colours.surface : colours.ink } })),
      itemStyle: { borderColor: colours.surface, borderWidth: 2 },
      label: { show: spec.cells.length <= 80, fontSize: narrow ? 10 : 12, formatter: (params) => shown(spec.axis, params.value[2]) },
      emphasis: { itemStyle: { borderColor: colours.ink, borderWidth: 1 } },
      tooltip: {
        formatter: ({ data: { cell } }) => `${spec.y[cell.y]} · ${spec.x[cell.x]}\n${spec.axis.label}: ${shown(spec.axis, cell.value)}` +
          (cell.low == null ? "" : `\n${spec.interval} ${shown(spec.axis, cell.low)} to ${shown(spec.axis, cell.high)}`) +
          `\nn = ${count(cell.n)}`,
      },
    }];
    option.aria.decal.show = false;
    return option;
  };

  // What each disparity costs: the frontier as a line, and where decisions are now and would be.
  const frontier = (spec, colours, narrow) => {
    const option = base(spec, colours, narrow);
    option.grid = { left: 62, right: 24, top: 14, bottom: 46 };
    option.xAxis = valueAxis(spec.x, colours);
    option.yAxis = { ...valueAxis(spec.y, colours), nameGap: 46, scale: true };
    option.tooltip.trigger = "item";
    const place = (x, y) => `\n${spec.x.label} ${number(x)}\n${spec.y.label} ${number(y)}`;
    option.series = [{
      type: "line",
      name: "Frontier",
      data: spec.points.map((point) => ({ value: [point.x, point.y], tolerance: point.tolerance })),
      symbol: "circle",
      symbolSize: 6,
      lineStyle: { width: 2 },
      itemStyle: { color: colours.series[0] },
      tooltip: { formatter: ({ data }) => `tolerance ${number(data.tolerance)}${place(...data.value)}` },
    }, ...spec.marks.map((mark, index) => ({
      type: "scatter",
      name: mark.name,
      data: [[mark.x, mark.y]],
      symbol: shapes[index + 1],
      symbolSize: 15,
      z: 4,
      itemStyle: { color: colours.series[index + 1], borderColor: colours.surface, borderWidth: 1 },
      tooltip: { formatter: ({ data }) => `${mark.name}${place(...data)}` },
    }))];
    legend(option, spec, colours, option.series.map((series) => series.name));
    return option;
  };

  const kinds = { intervals, calibration, heatmap, frontier };

  const draw = (holder, scheme, width) => {
    const block = document.getElementById(holder.dataset.plot);
    if (!block) return;
    const spec = JSON.parse(block.textContent);
    drawn.get(holder)?.dispose();
    const chart = window.echarts.init(holder, null, {
      renderer: "canvas", width, devicePixelRatio: Math.max(2, window.devicePixelRatio || 1),
    });
    const option = kinds[spec.kind](spec, palette(scheme), (width || holder.clientWidth) < 520);
    if (scheme) option.animation = false;
    chart.setOption(option);
    drawn.set(holder, chart);
    holder.dataset.drawn = "";
  };

  const all = (scheme, width) => {
    for (const holder of document.querySelectorAll("[data-plot]")) draw(holder, scheme, width);
  };

  // Resizing redraws when the width crosses from phone to desk, else only stretches.
  const widths = new WeakMap();
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const before = widths.get(target);
      const now = target.clientWidth;
      widths.set(target, now);
      if (before === undefined || before === now || now === 0) continue;
      if ((before < 520) !== (now < 520)) draw(target);
      else drawn.get(target)?.resize();
    }
  });

  const start = (within) => {
    for (const holder of within.querySelectorAll("[data-plot]")) {
      if (drawn.has(holder)) continue;
      draw(holder);
      observer.observe(holder);
    }
    for (const [holder, chart] of drawn) {
      if (holder.isConnected) continue;
      chart.dispose();
      drawn.delete(holder);
    }
  };

  document.addEventListener("ephor:theme", () => all());
  document.addEventListener("ephor:print", () => all("light", 640));
  document.body.addEventListener("htmx:load", (event) => start(event.detail.elt));
  document.fonts.ready.then(() => start(document));
})();
