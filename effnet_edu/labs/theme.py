"""Colours and the style sheet that every lab shares; they follow JupyterLab's light and dark themes."""

#: Okabe-Ito, each colour for one thing throughout the course.
DEPTH, WIDTH, RESOLUTION, COMPOUND = "#0072B2", "#D55E00", "#009E73", "#CC79A7"

#: Names used by the pictures, from JupyterLab's own variables, with the light theme where there are none.
VARIABLES = """
--ee-text: var(--jp-ui-font-color0, #111);
--ee-soft: var(--jp-ui-font-color1, #3d3d3d);
--ee-card: var(--jp-layout-color1, #fff);
--ee-well: var(--jp-layout-color2, #f2f2f2);
--ee-line: var(--jp-border-color1, #b5b5b5);
--ee-faint: var(--jp-border-color2, #dcdcdc);
"""

#: What the drawings need, on a page and in a picture that stands alone.
DRAWING = f"""
.ee-drawing {{ {VARIABLES} font-family: var(--jp-ui-font-family, system-ui, sans-serif); display: block;
  width: 100%; height: auto; }}
.ee-drawing text {{ fill: var(--ee-text); font-size: 12px; }}
.ee-drawing .soft {{ fill: var(--ee-soft); font-size: 11px; }}
.ee-drawing .axis {{ stroke: var(--ee-line); stroke-width: 1; fill: none; }}
.ee-drawing .grid {{ stroke: var(--ee-faint); stroke-width: 1; fill: none; }}
.ee-drawing .slab {{ fill: {COMPOUND}; }}
.ee-drawing .layer {{ stroke: var(--ee-card); stroke-width: .7; fill: none; }}
.ee-drawing .curve {{ stroke: {COMPOUND}; stroke-width: 2.5; fill: none; }}
.ee-drawing .now {{ fill: {COMPOUND}; stroke: var(--ee-text); stroke-width: 1.5; }}
.ee-drawing .past {{ fill: var(--ee-soft); fill-opacity: .45; stroke: var(--ee-text); stroke-width: .6; }}
.ee-drawing .published {{ fill: var(--ee-card); stroke: var(--ee-text); stroke-width: 1.5; }}
.ee-drawing .range {{ stroke: var(--ee-soft); stroke-width: 1.5; }}
"""

LAB = f"""
.ee-lab {{ {VARIABLES} color: var(--ee-text); background: var(--ee-card); border: 1px solid var(--ee-line);
  border-radius: 6px; padding: 10px 14px; container-type: inline-size; overflow: hidden; }}
.ee-lab .ee-title {{ font-size: 17px; font-weight: 600; line-height: 1.3; margin: 0; }}
.ee-lab .ee-lead {{ font-size: 13px; line-height: 1.4; color: var(--ee-soft); margin: 0 0 4px; }}
.ee-lab .ee-body {{ display: flex; flex-flow: row nowrap; gap: 14px; align-items: flex-start; }}
.ee-lab .ee-controls {{ flex: 0 0 204px; }}
.ee-lab .ee-screen {{ flex: 1 1 auto; min-width: 0; }}
.ee-lab .ee-screen, .ee-lab .ee-controls {{ margin: 0; }}
.ee-lab .ee-screen .widget-html-content {{ width: 100%; }}
.ee-lab .ee-split {{ display: grid; grid-template-columns: minmax(0, 1fr) 204px; gap: 14px;
  line-height: 1.35; }}
.ee-lab table.ee-numbers {{ border-collapse: collapse; width: 100%; font-size: 12px; margin: 0; }}
.ee-lab table.ee-numbers caption {{ text-align: left; font-weight: 600; padding: 2px 0;
  color: var(--ee-text); }}
.ee-lab table.ee-numbers th {{ text-align: left; font-weight: 400; color: var(--ee-soft);
  padding: 1px 4px 1px 0; background: none; white-space: nowrap; }}
.ee-lab table.ee-numbers td {{ text-align: right; font-variant-numeric: tabular-nums; padding: 1px 0;
  white-space: nowrap; color: var(--ee-text); background: none; }}
.ee-lab table.ee-numbers tr {{ background: none; border: 0; }}
.ee-lab table.ee-numbers + table.ee-numbers {{ margin-top: 8px; border-top: 1px solid var(--ee-faint); }}
.ee-lab .ee-stale td {{ opacity: .5; }}
.ee-lab .ee-note {{ font-size: 12px; color: var(--ee-soft); margin: 4px 0 0; line-height: 1.35; }}
.ee-lab .ee-controls .widget-label {{ color: var(--ee-text); }}
.ee-lab .ee-help {{ font-size: 11.5px; color: var(--ee-soft); line-height: 1.25; margin: 0 0 0 6px; }}
.ee-lab .ee-foot {{ border-top: 1px solid var(--ee-faint); padding-top: 6px; display: flex;
  flex-flow: row wrap; align-items: center; gap: 8px; }}
.ee-lab .ee-status {{ flex: 1 1 300px; min-width: 0; font-size: 13px; line-height: 1.35; }}
.ee-lab .ee-status .widget-html-content {{ line-height: 1.35; }}
.ee-lab code {{ font-size: 12px; }}
@container (max-width: 760px) {{
  .ee-lab .ee-split {{ grid-template-columns: minmax(0, 1fr); }}
}}
@container (max-width: 640px) {{
  .ee-lab .ee-body {{ flex-flow: column nowrap; }}
  .ee-lab .ee-controls, .ee-lab .ee-screen {{ flex: 1 1 auto; width: 100%; }}
}}
"""

STYLE = f"<style>{DRAWING}{LAB}</style>"
