"""The style sheet that every lab shares, in a notebook and on a page; it follows light and dark themes."""

from effnet_edu.pictures.styles import SCENE

#: The arrow of a list for dark themes; ipywidgets draws a dark one in every theme.
LIGHT_ARROW = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E"
    "%3Cpath fill='%23fff' d='M5.2 5.9 9 9.7l3.8-3.8 1.2 1.2-5 5-5-5z'/%3E%3C/svg%3E"
)

LAB = f"""
.ee-lab {{ color: var(--ee-text); background: var(--ee-card); border: 1px solid var(--ee-line);
  border-radius: 6px; padding: 5px 14px; container-type: inline-size; overflow: hidden; }}
.ee-lab.ee-large .ee-note {{ display: none; }}
.ee-lab .ee-head {{ display: flex; flex-flow: row wrap; align-items: flex-start; gap: 4px 12px;
  padding-bottom: 2px; }}
.ee-lab .ee-words {{ flex: 1 1 400px; min-width: 0; margin: 0; }}
.ee-lab .ee-buttons {{ display: flex; flex-flow: row wrap; gap: 8px; flex: 0 0 auto; }}
.ee-lab .ee-title {{ font-size: 17px; font-weight: 600; line-height: 1.3; margin: 0; }}
.ee-lab table.ee-numbers {{ border-collapse: collapse; width: 100%; font-size: 12px; margin: 0; }}
.ee-lab table.ee-numbers caption {{ text-align: left; font-weight: 600; padding: 2px 0;
  color: var(--ee-text); }}
.ee-lab table.ee-numbers th {{ text-align: left; font-weight: 400; color: var(--ee-soft);
  padding: 1px 4px 1px 0; background: none; white-space: nowrap; }}
.ee-lab table.ee-numbers td {{ text-align: right; font-variant-numeric: tabular-nums; padding: 1px 0;
  white-space: nowrap; color: var(--ee-text); background: none; }}
.ee-lab table.ee-numbers tr {{ background: none; border: 0; }}
.ee-lab table.ee-numbers + table.ee-numbers {{ margin-top: 8px; border-top: 1px solid var(--ee-faint); }}
.ee-lab .ee-stale :is(td, caption) {{ font-style: italic; color: var(--ee-grey); }}
.ee-lab table.ee-numbers thead th {{ text-align: right; border-bottom: 1px solid var(--ee-faint); }}
.ee-lab table.ee-numbers thead th:first-child, .ee-lab table.ee-numbers td.ee-left {{ text-align: left; }}
.ee-lab table.ee-full :is(th, td) {{ padding: 1px 10px 1px 0; }}
.ee-lab table.ee-full thead :is(th:nth-child(3), th:nth-child(5)) {{ text-align: left; }}
.ee-lab table.ee-points :is(td, th) {{ white-space: normal; overflow-wrap: anywhere;
  padding: 1px 6px 1px 0; }}
.ee-lab table.ee-points tr > :nth-child(n+4) {{ text-align: left; }}
.ee-lab table.ee-compared {{ font-size: 11.5px; }}
.ee-lab table.ee-compared th[scope=row] {{ white-space: normal; }}
.ee-lab table.ee-compared td {{ padding-left: 5px; }}
.ee-lab table.ee-compared .ee-kind th {{ font-weight: 600; color: var(--ee-text); padding-top: 4px; }}
.ee-lab .ee-tables {{ overflow: auto; line-height: 1.35; max-height: 480px; }}
.ee-lab .ee-tables table.ee-numbers:not(.ee-points) {{ max-width: 620px; }}
.ee-lab .ee-note {{ font-size: 12px; color: var(--ee-soft); margin: 4px 0 0; line-height: 1.35; }}
.ee-lab .ee-controls .widget-label {{ color: var(--ee-text); }}
[data-jp-theme-light=false] .ee-lab select {{ background-image: url("{LIGHT_ARROW}"); }}
.ee-lab .ee-helped {{ margin: 0 0 0 6px; min-width: 0; }}
.ee-lab .ee-control > .ee-helped {{ margin: -1px 0 3px 80px; height: auto; }}
.ee-lab :is(.ee-pair, .widget-dropdown.ee-kind) select {{ padding: 0 18px 0 4px; font-size: 12px; }}
.ee-lab :is(.ee-pair .ee-control, .ee-several) > .ee-helped {{ margin-left: 2px; }}
.ee-lab .ee-pair {{ gap: 6px; }}
.ee-lab .ee-pair .widget-label {{ min-width: 38px; }}
.ee-lab .ee-helped .widget-html-content {{ font-size: 11.5px; line-height: 1.25; color: var(--ee-soft); }}
.ee-lab .ee-upload {{ font-size: 0; height: 22px; line-height: 20px; padding: 0 8px; flex: 0 0 auto; }}
.ee-lab .ee-upload::after {{ content: "own picture"; content: "own picture" / ""; font-size: 12px; }}
.ee-lab .ee-foot {{ border-top: 1px solid var(--ee-faint); padding-top: 6px; display: flex;
  flex-flow: row wrap; align-items: center; gap: 8px; }}
.ee-lab .ee-status {{ flex: 1 1 300px; min-width: 0; font-size: 13px; line-height: 1.35; }}
.ee-lab .ee-status .widget-html-content {{ line-height: 1.35; }}
.ee-lab.ee-large .ee-status {{ flex-basis: 100%; }}
.ee-lab .ee-line {{ flex: 0 1 auto; min-width: 0; margin: 0; font-size: 12px; color: var(--ee-soft); }}
.ee-lab .ee-line .widget-html-content {{ line-height: 1.35; }}
.ee-lab .ee-copy {{ padding: 0 10px; height: 24px; line-height: 22px; font-size: 12px; }}
.ee-lab code {{ font-size: 12px; color: var(--ee-text); background: none; overflow-wrap: anywhere; }}
"""

#: A lab whose pictures live: finding, picture across the whole width, controls, large numbers, charts.
LIVE = """
.ee-lab.ee-live { padding: 7px 16px; overflow: visible; }
.ee-live .ee-said, .ee-live .ee-figures, .ee-live .ee-all { margin: 0; }
.ee-lab.ee-live .ee-head { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 12px;
  align-items: center; padding-bottom: 2px; overflow: visible; }
.ee-live .ee-head > .ee-said { grid-column: 1 / -1; }
.ee-live .ee-buttons { flex: 0 1 auto; min-width: 0; gap: 6px; overflow: visible; }
.ee-live .ee-words, .ee-live .ee-said, .ee-live .widget-html-content { min-width: 0; height: auto;
  white-space: normal; line-height: 1.35; }
.ee-live .ee-words { flex: 1 1 0; overflow: visible; }
.ee-live .ee-title { font-size: 12px; font-weight: 400; color: var(--ee-soft); }
.ee-live :is(.ee-finding, .ee-aside) { overflow-wrap: anywhere; }
.ee-live .ee-finding { font-size: clamp(17px, 2.1cqi, 24px); font-weight: 600; line-height: 1.25;
  margin: 1px 0 2px; }
.ee-live .ee-aside { font-size: 13px; line-height: 1.35; color: var(--ee-soft); margin: 0; }
.ee-live .ee-verdict { font-size: 13.5px; line-height: 1.3; font-weight: 600; margin: 0;
  padding-left: 8px; border-left: 4px solid var(--ee-width); color: var(--ee-text); }
.ee-live .ee-verdict.ee-close { border-color: var(--ee-resolution); }
.ee-live .ee-verdict b { color: var(--ee-width); }
.ee-live .ee-verdict.ee-close b { color: var(--ee-resolution); }
.ee-lab.ee-live .ee-head > .ee-asking:not([hidden]) { grid-column: 1 / -1; display: flex; flex-flow: row wrap;
  align-items: center; gap: 2px 8px; width: auto; margin: 0; overflow: visible; font-size: 14px; }
.ee-live .ee-asking .widget-html-content { font-size: 14px; line-height: 1.35; }
.ee-live .ee-asking > * { margin: 0; min-width: 0; flex: 0 1 auto; height: auto; overflow: visible; }
.ee-live .ee-told { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.ee-live .ee-asking input { height: 24px; font-size: 14px; }
.ee-live .ee-hero, .ee-live .ee-charts { width: auto; align-self: stretch; margin: 0; min-width: 0;
  overflow: visible; }
.ee-live .ee-controls { display: flex; flex: 0 0 auto; flex-flow: row wrap; align-items: stretch;
  gap: 4px 8px; margin: 1px 0 4px; width: auto; overflow: visible; }
.ee-live .ee-control { flex: 1 1 170px; width: auto; min-width: 0; margin: 0; padding: 3px 10px;
  border: 1px solid var(--ee-faint); border-radius: 8px; background: var(--ee-well); overflow: visible;
  box-sizing: border-box; }
.ee-live .ee-control.ee-main { flex: 1.3 1 210px; }
.ee-live .ee-control:has(select) { order: 2; flex: 0 1 auto; align-self: center; max-width: 340px;
  padding: 0 2px; border: 0; background: none; }
.ee-live .ee-control:has(.ee-upload) { flex-flow: row wrap; align-items: center; }
.ee-live .ee-control:has(.ee-upload) > .widget-dropdown { flex: 1 1 auto; width: auto !important; }
.ee-live .ee-control:has(select) :is(.ee-helped, .ee-help) { position: absolute; width: 1px; height: 1px;
  overflow: hidden; clip-path: inset(50%); }
.ee-live .ee-pair { display: contents; }
.ee-live .ee-of-depth { --ee-own: var(--ee-depth); }
.ee-live .ee-of-width { --ee-own: var(--ee-width); }
.ee-live .ee-of-resolution { --ee-own: var(--ee-resolution); }
.ee-live .ee-of-compound { --ee-own: var(--ee-compound); }
.ee-live [class*=ee-of-] :is(label, .widget-label) { color: var(--ee-own); font-weight: 600; }
.ee-live [class*=ee-of-] .noUi-connect { background: var(--ee-own); }
.ee-live [class*=ee-of-] .noUi-handle { border-color: var(--ee-own); }
.ee-live [class*=ee-of-] [type=range] { accent-color: var(--ee-own); }
.ee-live dl.ee-figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(104px, 1fr));
  gap: 8px 12px; margin: 0; padding: 0; line-height: 1.3; }
.ee-live .ee-figure { display: flex; flex-flow: row wrap; align-items: baseline; gap: 0 7px; min-width: 0;
  border-left: 3px solid var(--ee-line); padding-left: 8px; align-content: flex-start; }
.ee-live .ee-figure dt { flex: 0 0 100%; }
.ee-lab.ee-live dl.ee-figures :is(dt, dd) { float: none; width: auto; margin: 0 !important; padding: 0;
  font-size: 12px; font-weight: 400; color: var(--ee-soft); }
.ee-lab.ee-live dl.ee-figures .ee-value { color: var(--ee-text); font-variant-numeric: tabular-nums;
  font-size: 13px; }
.ee-live .ee-figure .ee-value b { font-size: 24px; line-height: 1.15; font-weight: 700; }
.ee-live .ee-figure.ee-measured { border-left-color: var(--ee-compound); }
.ee-live .ee-figure.ee-published { border-left-style: double; }
.ee-live .ee-figure:is(.ee-stale, .ee-unmeasured) { border-left-style: dotted; }
.ee-live .ee-figure.ee-stale :is(dd, b) { font-style: italic; color: var(--ee-grey); }
.ee-live .ee-foot { margin-top: 2px; padding-top: 2px; gap: 6px 10px; overflow: visible; }
.ee-live .ee-status { flex: 1 1 440px; font-size: 12px; }
.ee-live .ee-foot button { background: none; border: 0; box-shadow: none; padding: 0 4px; height: 24px;
  line-height: 24px; font-size: 12px; color: var(--ee-soft); text-decoration: underline; cursor: pointer; }
.ee-live .ee-foot button:disabled { display: none; }
.ee-live:not(.ee-as-table) .ee-with-table { display: none; }
.ee-live.ee-large { zoom: 1.5; }
.ee-live.ee-large .ee-head > .ee-said { grid-area: 1 / 1; }
.ee-live.ee-large :is(.ee-words, .ee-title, .ee-aside, .ee-charts, .ee-foot, .ee-helped, .ee-help,
  .ee-control:not(.ee-main), .ee-figure ~ .ee-figure) { display: none; }
.ee-live.ee-large :is(.ee-button-pin, .ee-button-numbers) { display: none; }
.ee-live.ee-large .ee-figure { gap: 12px; }
.ee-live.ee-large .ee-figure dt { flex: 0 1 auto; }
.ee-live.ee-large .ee-figure .ee-value b { font-size: 34px; }
@container (max-width: 1100px) {
  .ee-live:not(.ee-as-table) .ee-foot > .widget-html.ee-line { display: none; }
  .ee-lab.ee-live dl.ee-figures :is(dt, dd) { font-size: 11px; }
}
@container (max-width: 400px) {
  .ee-lab table.ee-compared { font-size: 11px; }
  .ee-lab table.ee-compared :is(td, thead th) { padding: 1px 0 1px 3px; }
  .ee-lab table.ee-compared th[scope=row] { overflow-wrap: anywhere; }
}
@container (min-width: 420px) {
  .ee-lab.ee-live .ee-head > .ee-asking:not([hidden]) { flex-flow: row nowrap; }
  .ee-live .ee-asking > :not(:first-child) { flex: 0 0 auto; }
}
@container (min-width: 1300px) {
  .ee-live .ee-aside > span { display: block; }
}
@container (max-width: 960px) {
  .ee-live .ee-control { flex-basis: 150px; }
  .ee-live .ee-control.ee-main { flex: 1.3 1 190px; }
  .ee-live .ee-control :is(.widget-label, .widget-dropdown select) { font-size: 12px; }
  .ee-live .ee-control .widget-label { margin-right: 5px; }
  .ee-live .ee-control .widget-text { width: auto !important; }
  .ee-live .ee-control .widget-text input { min-width: 40px; flex-basis: 42px; }
  .ee-live .ee-control .widget-dropdown select { padding: 0 17px 0 4px; }
  .ee-live dl.ee-figures { gap: 6px 8px; }
  .ee-live .ee-control:not(.ee-several) > .widget-box > .ee-helped { position: absolute; width: 1px;
    height: 1px; overflow: hidden; clip-path: inset(50%); }
}
@container (max-width: 640px) {
  .ee-lab.ee-live .ee-head { grid-template-columns: minmax(0, 1fr); }
  .ee-live .ee-control { flex-basis: 130px; }
  .ee-live .ee-control.ee-main { flex-basis: 100%; }
  .ee-live .ee-control:has(select) { flex-grow: 1; }
}
"""

#: What ipywidgets sets on each part by itself, which a card has no use for.
LIVE_WIDGETS = """
.ee-live .ee-pair .ee-control { width: auto !important; }
.ee-live .ee-control .widget-inline-hbox { width: auto !important; height: auto; min-width: 0;
  overflow: visible; }
.ee-live .ee-control .widget-label { width: auto !important; flex: 0 0 auto; overflow: visible; }
.ee-live .ee-control .widget-text { flex: 0 0 auto !important; margin: 0; }
.ee-live .ee-control .widget-text input { min-width: 44px; flex: 0 1 46px; height: 24px; padding: 0 4px; }
.ee-live .ee-control .widget-dropdown { margin: 0; }
.ee-live .ee-control .widget-dropdown select { flex: 1 1 auto; }
.ee-live .ee-control > .widget-box { flex-flow: row wrap; gap: 0 6px; overflow: visible; }
.ee-live .ee-control .ee-helped { margin: 0; flex: 0 1 auto; }
.ee-live .noUi-origin { overflow: visible; }
.ee-live .ee-control > .ee-helped { margin: 0; }
.ee-live .ee-control .widget-slider { width: auto !important; margin: 6px 6px 2px !important;
  overflow: visible; }
"""

STYLE_SHEET = SCENE + LAB + LIVE + LIVE_WIDGETS
