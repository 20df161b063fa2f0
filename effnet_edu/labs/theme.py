"""Colours and the style sheet that every lab shares; they follow JupyterLab's light and dark themes."""

#: Okabe-Ito, each colour for one thing throughout the course.
DEPTH, WIDTH, RESOLUTION, COMPOUND = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
#: Of the parts of a block.
FUSED = "#D55E00"

#: Names used by the pictures, from JupyterLab's own variables, with the light theme where there are none.
VARIABLES = """
--ee-text: var(--jp-ui-font-color0, #111);
--ee-soft: var(--jp-ui-font-color1, #3d3d3d);
--ee-grey: var(--jp-ui-font-color2, #616161);
--ee-card: var(--jp-layout-color1, #fff);
--ee-well: var(--jp-layout-color2, #f2f2f2);
--ee-line: var(--jp-border-color1, #b5b5b5);
--ee-faint: var(--jp-border-color2, #dcdcdc);
"""

#: What the drawings need, on a page and in a picture that stands alone.
DRAWING = f"""
.ee-drawing {{ {VARIABLES} font-family: var(--jp-ui-font-family, system-ui, sans-serif); display: block;
  width: 100%; max-width: 440px; height: auto; margin: 0 auto; }}
.ee-drawing text {{ fill: var(--ee-text); font-size: 12.5px; }}
.ee-drawing .soft {{ fill: var(--ee-soft); font-size: 12px; }}
.ee-drawing .title {{ font-size: 13px; font-weight: 600; }}
.ee-drawing .axis {{ stroke: var(--ee-line); stroke-width: 1; fill: none; }}
.ee-drawing .grid {{ stroke: var(--ee-faint); stroke-width: 1; fill: none; }}
.ee-drawing .slab {{ fill: {COMPOUND}; stroke: var(--ee-text); stroke-width: .6; }}
.ee-drawing .mbconv {{ fill: var(--ee-faint); }}
.ee-drawing .fused {{ fill: {FUSED}; }}
.ee-drawing .hatching {{ stroke: var(--ee-card); stroke-width: 1; fill: none; }}
.ee-drawing .layer {{ stroke: var(--ee-card); stroke-width: .7; fill: none; }}
.ee-drawing .curve {{ stroke: {COMPOUND}; stroke-width: 2.5; fill: none; }}
.ee-drawing .now {{ fill: {COMPOUND}; stroke: var(--ee-text); stroke-width: 1.5; }}
.ee-drawing .past {{ fill: var(--ee-soft); fill-opacity: .45; stroke: var(--ee-text); stroke-width: .6; }}
.ee-drawing .published {{ fill: var(--ee-card); stroke: var(--ee-text); stroke-width: 1.5; }}
.ee-drawing .chosen {{ fill: var(--ee-card); stroke: {COMPOUND}; stroke-width: 4; paint-order: stroke; }}
.ee-drawing .step {{ fill: {FUSED}; stroke: var(--ee-text); stroke-width: 1.5; }}
.ee-drawing .stage-bar {{ fill: {RESOLUTION}; fill-opacity: .55; stroke: var(--ee-text); stroke-width: .8; }}
.ee-drawing .reference {{ stroke: var(--ee-soft); stroke-width: 1.2; stroke-dasharray: 2 3; fill: none; }}
.ee-drawing .here {{ stroke: var(--ee-text); stroke-width: 1.5; stroke-dasharray: 5 3; fill: none; }}
.ee-drawing .range {{ stroke: var(--ee-soft); stroke-width: 1.5; }}
.ee-drawing .map {{ fill: var(--ee-faint); stroke: var(--ee-soft); stroke-width: .8; }}
.ee-drawing .role {{ stroke: var(--ee-text); stroke-width: .8; }}
.ee-drawing .texture {{ stroke: #1a1a1a; stroke-width: .8; fill: none; }}
.ee-drawing .wire {{ stroke: var(--ee-text); stroke-width: 1.2; fill: none; }}
.ee-drawing .computed {{ stroke: var(--ee-text); stroke-width: 2; }}
.ee-drawing .bar {{ fill: var(--ee-line); stroke: var(--ee-text); stroke-width: .8; }}
.ee-drawing .roof {{ stroke: var(--ee-text); stroke-width: 1.4; }}
.ee-drawing .dashed {{ stroke-dasharray: 5 3; }}
.ee-drawing .role-mark {{ stroke-width: 3; fill: none; }}
.ee-drawing .letter {{ font-weight: 700; font-size: 14px; stroke: var(--ee-card); stroke-width: 3;
  paint-order: stroke; }}
.ee-drawing .name {{ font-size: 12px; fill: var(--ee-soft); stroke: var(--ee-card); stroke-width: 3;
  paint-order: stroke; }}
.ee-drawing .stale {{ font-style: italic; fill: var(--ee-grey); }}
.ee-drawing .outside {{ fill: var(--ee-grey); fill-opacity: .13; }}
.ee-drawing .family {{ stroke: var(--ee-soft); stroke-width: 1.2; fill: none; }}
.ee-drawing .dotted {{ stroke-dasharray: 2 3; }}
.ee-drawing .measured {{ fill: var(--ee-soft); stroke: var(--ee-text); stroke-width: .8; }}
.ee-drawing .v1 {{ stroke: {COMPOUND}; }}
.ee-drawing .measured.v1 {{ fill: {COMPOUND}; stroke: var(--ee-text); }}
.ee-drawing .v2 {{ stroke: {WIDTH}; }}
.ee-drawing .measured.v2 {{ fill: {WIDTH}; stroke: var(--ee-text); }}
.ee-drawing .winner {{ fill: none; stroke: var(--ee-text); stroke-width: 2; }}
.ee-drawing .kept {{ stroke: var(--ee-line); stroke-width: 1.4; }}
.ee-drawing .moved {{ stroke: var(--ee-text); stroke-width: 2.2; }}
"""

#: The arrow of a list for dark themes; ipywidgets draws a dark one in every theme.
LIGHT_ARROW = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E"
    "%3Cpath fill='%23fff' d='M5.2 5.9 9 9.7l3.8-3.8 1.2 1.2-5 5-5-5z'/%3E%3C/svg%3E"
)

LAB = f"""
.ee-lab {{ {VARIABLES} color: var(--ee-text); background: var(--ee-card); border: 1px solid var(--ee-line);
  border-radius: 6px; padding: 10px 14px; container-type: inline-size; overflow: hidden; }}
.ee-lab.ee-large {{ zoom: 1.35; }}
.ee-lab.ee-large :is(.ee-lead, .ee-helped, .ee-note) {{ display: none; }}
.ee-lab .ee-head {{ display: flex; flex-flow: row wrap; align-items: flex-start; gap: 4px 12px;
  padding-bottom: 4px; }}
.ee-lab .ee-words {{ flex: 1 1 400px; min-width: 0; margin: 0; }}
.ee-lab .ee-buttons {{ display: flex; flex-flow: row wrap; gap: 8px; flex: 0 0 auto; }}
.ee-lab .ee-title {{ font-size: 17px; font-weight: 600; line-height: 1.3; margin: 0; }}
.ee-lab .ee-lead {{ font-size: 13px; line-height: 1.4; color: var(--ee-soft); margin: 0 0 4px; }}
.ee-lab .ee-body {{ display: flex; flex-flow: row nowrap; gap: 14px; align-items: flex-start; }}
.ee-lab .ee-controls {{ flex: 0 0 200px; }}
.ee-lab .ee-screen {{ flex: 1 1 auto; min-width: 0; }}
.ee-lab .ee-screen, .ee-lab .ee-controls {{ margin: 0; }}
.ee-lab .ee-screen .widget-html-content {{ width: 100%; }}
.ee-lab .ee-split {{ display: grid; grid-template-columns: minmax(0, 1fr) 208px; gap: 14px;
  line-height: 1.35; }}
.ee-lab .ee-split.ee-wide {{ grid-template-columns: minmax(0, 1fr) 272px; }}
.ee-lab .ee-split.ee-wide .ee-drawing {{ max-width: 390px; }}
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
.ee-lab :is(.ee-pair, .widget-dropdown.ee-kind) select {{ padding: 0 14px 0 4px; font-size: 12px; }}
.ee-lab :is(.ee-pair .ee-control, .ee-stages) > .ee-helped {{ margin-left: 2px; }}
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
.ee-lab .ee-link {{ display: flex; flex-flow: row wrap; align-items: center; gap: 8px; padding-top: 4px; }}
.ee-lab .ee-line {{ flex: 0 1 auto; min-width: 0; margin: 0; font-size: 12px; color: var(--ee-soft); }}
.ee-lab .ee-line .widget-html-content {{ line-height: 1.35; }}
.ee-lab .ee-copy {{ padding: 0 10px; height: 24px; line-height: 22px; font-size: 12px; }}
.ee-lab code {{ font-size: 12px; color: var(--ee-text); background: none; overflow-wrap: anywhere; }}
@container (max-width: 760px) {{
  .ee-lab .ee-split, .ee-lab .ee-split.ee-wide {{ grid-template-columns: minmax(0, 1fr); }}
}}
@container (max-width: 640px) {{
  .ee-lab .ee-body {{ flex-flow: column nowrap; }}
  .ee-lab .ee-status {{ flex-basis: 100%; }}
  .ee-lab .ee-controls, .ee-lab .ee-screen {{ flex: 1 1 auto; width: 100%; }}
  .ee-lab .ee-controls {{ display: grid; grid-template-columns: 1fr 1fr; column-gap: 14px; }}
}}
"""

STYLE_SHEET = DRAWING + LAB
