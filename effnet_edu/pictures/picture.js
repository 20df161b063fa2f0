// Draws a scene and moves it, in a notebook (as an anywidget) and on a page. What marks are, scene.py says.

const SVG = "http://www.w3.org/2000/svg";
const TWEEN_MS = 150;
const FACES = ["top", "side", "front"];
const PLAY_MS = 110; // a step
const REACH_PX = 22; // how far beside a small handle a finger may land

const number = (value) => String(Math.round(value * 100) / 100);
const pairs = (at) => {
  let points = "";
  for (let i = 0; i < at.length; i += 2) points += `${i ? " " : ""}${number(at[i])},${number(at[i + 1])}`;
  return points;
};
const attributes = (...names) => (node, at) => names.forEach((name, i) => node.setAttribute(name, number(at[i])));
const points = (node, at) => node.setAttribute("points", pairs(at));

const SHAPES = {
  box: ["rect", attributes("x", "y", "width", "height")],
  circle: ["circle", attributes("cx", "cy", "r")],
  line: ["polyline", points],
  area: ["polygon", points],
  text: ["text", attributes("x", "y")],
  image: ["image", attributes("x", "y", "width", "height")],
  strokes: ["path", (node, at) => {
    let path = "";
    for (let i = 0; i < at.length; i += 4) {
      path += `M${number(at[i])} ${number(at[i + 1])}L${number(at[i + 2])} ${number(at[i + 3])}`;
    }
    node.setAttribute("d", path);
  }],
  slab: ["g", (node, [x, y, width, height, right, above]) => {
    const end = x + width, floor = y + height;
    points(node.children[0], [x, y, x + right, y - above, end + right, y - above, end, y]);
    points(node.children[1], [end, y, end + right, y - above, end + right, floor - above, end, floor]);
    points(node.children[2], [x, y, end, y, end, floor, x, floor]);
  }],
};

// Whether two values of a scene are equal.
const same = (a, b) => a === b || (Object(a) === a && Object(b) === b
  && Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((name) => same(a[name], b[name])));
const isSamePlace = (a, b) => a?.length === b.length && a.every((n, i) => n === b[i]);

const isHandle = (mark) => Boolean(mark.drag || mark.mix);
const isButton = (mark) => Boolean(mark.sets || mark.play);
const doesAnswer = (mark) => isButton(mark) || isHandle(mark) || Boolean(mark.with || mark.words);

function element(tag, css) {
  const node = document.createElementNS(SVG, tag);
  node.setAttribute("class", css);
  return node;
}

const clamped = (share) => Math.min(Math.max(share, 0), 1);

// The value of an axis at a pixel, and the pixel of a value.
function valueAt({ low, high, start, end, logarithmic }, pixel) {
  const share = clamped((pixel - start) / (end - start));
  return logarithmic ? low * (high / low) ** share : low + share * (high - low);
}

function pixelAt({ low, high, start, end, logarithmic }, value) {
  const share = logarithmic ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return start + clamped(share) * (end - start);
}

// A value in whole steps from the lower end of its axis.
function stepped(drag, value) {
  const held = Math.min(Math.max(value, drag.low), drag.high);
  const whole = drag.by_factor
    ? drag.low * drag.step ** Math.round(Math.log(held / drag.low) / Math.log(drag.step))
    : drag.low + Math.round((held - drag.low) / drag.step) * drag.step;
  return Number(Math.min(whole, drag.high).toPrecision(12));
}

const FORWARD = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };

// The value that a key gives a handle, or undefined where the key says nothing to it.
function valueByKey(drag, key, value) {
  if (key === "Home") return drag.low;
  if (key === "End") return drag.high;
  if (!(key in FORWARD)) return undefined;
  const steps = FORWARD[key];
  return stepped(drag, drag.by_factor ? value * drag.step ** steps : value + steps * drag.step);
}

// How near a point lies to each corner of a mix; one beyond an edge counts as on it.
function weightsAt([a, b, c], { x, y }) {
  const across = ([x1, y1], [x2, y2]) => (x1 - x) * (y2 - y) - (x2 - x) * (y1 - y);
  const sign = Math.sign(turn(a, b, c));
  return [across(b, c), across(c, a), across(a, b)].map((weight) => Math.max(0, sign * weight));
}

const turn = ([x1, y1], [x2, y2], [x3, y3]) => (x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1);

// Weights as whole hundredths that sum to a hundred: what rounding leaves goes to the largest remainders.
function shared(names, weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => 100 * weight / total), whole = exact.map((n) => Math.floor(n + 1e-9));
  const order = [0, 1, 2].sort((i, j) => exact[j] - whole[j] - exact[i] + whole[i]);
  for (let left = 100 - whole[0] - whole[1] - whole[2], i = 0; i < left; i += 1) whole[order[i]] += 1;
  return Object.fromEntries(names.map((name, i) => [name, whole[i]]));
}

const TOWARDS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [1, 1], ArrowRight: [2, 1] };

// The values that a key gives a mix: up and down for its first setting, left for the second, right for the third.
function mixedByKey({ names }, key, values) {
  if (!(key in TOWARDS)) return undefined;
  const [index, step] = TOWARDS[key], total = values.reduce((sum, value) => sum + value, 0) || 1;
  const now = 100 * values[index] / total, next = Math.min(Math.max(now + step, 0), 100);
  const rest = total * (100 - now) / 100;
  return shared(names, values.map((value, i) =>
    i === index ? next : (100 - next) * (rest ? value / rest : 0.5)));
}

// The settings of a handle: as they are, at a point, and in whole steps.
const named = (list, value) => Object.fromEntries(list.map((one, i) => value(one, i)));
const valuesOf = ({ drag, mix }) => mix
  ? named(mix.names, (name, i) => [name, mix.values[i]])
  : named(drag, ({ name, value }) => [name, value]);
const valuesAt = ({ drag, mix }, at) => {
  if (!mix) return named(drag, (one) => [one.name, valueAt(one, one.upright ? at.y : at.x)]);
  const weights = weightsAt(mix.corners, at);
  return named(mix.names, (name, i) => [name, weights[i]]);
};
const inSteps = ({ drag, mix }, values) => mix
  ? shared(mix.names, mix.names.map((name) => values[name]))
  : named(drag, (one) => [one.name, stepped(one, values[one.name])]);

// Where such values put a handle: x and y, or 0 where it does not move.
function placeAt({ drag, mix }, values) {
  const at = [0, 0];
  for (const one of drag ?? []) at[one.upright ? 1 : 0] = pixelAt(one, values[one.name]);
  if (!mix) return at;
  const weights = mix.names.map((name) => values[name]), total = weights.reduce((sum, weight) => sum + weight, 0);
  return at.map((_, i) => mix.corners.reduce((sum, corner, n) => sum + corner[i] * (total ? weights[n] / total : 1 / 3), 0));
}

// How high a line lies at an x; beyond its ends, as high as they.
function heightAt(line, x) {
  let i = 0;
  while (i < line.length - 4 && line[i + 2] < x) i += 2;
  const [x1, y1, x2, y2] = line.slice(i, i + 4);
  return y1 + clamped((x - x1) / (x2 - x1)) * (y2 - y1);
}

// Tells how wide an element is, now and whenever that changes; returns what ends it.
export function watchWidth(host, tell) {
  let room = 0;
  const watch = new ResizeObserver(() => {
    const width = Math.round(host.clientWidth);
    if (width > 0 && width !== room) tell(room = width);
  });
  watch.observe(host);
  return () => watch.disconnect();
}

/**
 * Draws a scene into an element and keeps it there.
 * onSet(settings, { moving }) is told what was clicked or dragged.
 * What a hand drags moves at once; `settle` says that the scene answers all that was told, and has the last word.
 */
export function create(host, scene, { onSet = () => {} } = {}) {
  const root = document.createElement("div");
  root.className = "ee-picture";
  const svg = element("svg", "ee-scene");
  svg.setAttribute("role", "group");
  const tip = document.createElement("div");
  tip.className = "ee-tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  root.append(svg, tip);
  host.append(root);

  const shown = new Map(); // key -> { node, mark, at, from, to, drawn, leaves }
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const listening = new AbortController();
  // On the element around the SVG: Chromium makes an SVG that listens to focus a stop of Tab.
  const listen = (type, heard) => root.addEventListener(type, heard, { signal: listening.signal });
  let began = 0, frame = 0, current = null, hot = null, held = null, sending = 0, ready = null, reached = null;
  let playing = null; // { key, timer, asked, seen }: a setting on its way, what was asked for, and what is drawn
  let lent = []; // keys that light up because of another picture of the same lab
  let carried = null; // { key, values, leads, by }: what a hand set a handle to, and how far that is from the scene

  // What is set in the page is laid out and painted again, even if it is what was there.
  function draw(entry) {
    const moves = carried?.leads[entry.mark.key];
    const at = moves ? entry.at.map((n, i) => n + (moves[i] ?? 0) * carried.by[i % 2]) : entry.at;
    if (isSamePlace(entry.drawn, at)) return;
    SHAPES[entry.mark.shape][1](entry.node, at);
    entry.drawn = at;
  }

  // How far a hand is ahead of a scene, so that an older answer does not pull back what it moves.
  function aim(marks) {
    const find = (key) => marks.find((mark) => mark.key === key), handle = find(carried.key);
    if (!handle?.leads) return carried = null;
    const to = placeAt(handle, carried.values), from = placeAt(handle, valuesOf(handle));
    if (handle.along) {
      to[1] = heightAt(find(handle.along).at, to[0]);
      from[1] = handle.at[1];
    }
    carried = { ...carried, leads: handle.leads, by: to.map((n, i) => n - from[i]) };
  }

  function carry(key, values) {
    carried = { key, values };
    aim(current.marks);
    redraw(carried?.leads);
    if (!tip.hidden && carried?.leads[hot]) place(shown.get(hot).node.getBoundingClientRect());
  }

  function redraw(leads = {}) {
    for (const key of Object.keys(leads)) if (shown.has(key)) draw(shown.get(key));
  }

  function settle() {
    if (held || ready) return;
    const leads = carried?.leads;
    carried = null;
    redraw(leads);
  }

  function make(mark) {
    const node = element(SHAPES[mark.shape][0], mark.style ?? "");
    if (mark.shape === "slab") node.append(...FACES.map((face) => element("polygon", face)));
    node.dataset.key = mark.key;
    return { node, mark: {}, at: mark.at, from: mark.at, to: mark.at, leaves: false };
  }

  function describe(entry, mark) {
    const { node, mark: before } = entry;
    entry.mark = mark;
    if (same({ ...before, at: null }, { ...mark, at: null })) return;
    if (before.style !== mark.style) {
      const lit = node.classList.contains("ee-lit");
      node.setAttribute("class", mark.style ?? "");
      node.classList.toggle("ee-lit", lit);
    }
    if (mark.text && !same(before.text, mark.text)) {
      node.replaceChildren(...mark.text.map(([words, style]) => {
        if (!style) return words;
        const span = element("tspan", style);
        span.textContent = words;
        return span;
      }));
    }
    if (mark.href && before.href !== mark.href) node.setAttribute("href", mark.href);
    const drags = mark.drag?.[0];
    node.toggleAttribute("data-sets", Boolean(mark.sets));
    node.toggleAttribute("data-drag", isHandle(mark));
    node.toggleAttribute("data-play", Boolean(mark.play));
    if (!doesAnswer(mark)) {
      for (const name of ["role", "tabindex", "aria-label"]) node.removeAttribute(name);
      return;
    }
    node.setAttribute("role", isHandle(mark) ? "slider" : isButton(mark) ? "button" : "img");
    node.setAttribute("aria-label", mark.words || mark.key);
    if (drags) {
      node.setAttribute("tabindex", "0");
      node.setAttribute("aria-valuemin", drags.low);
      node.setAttribute("aria-valuemax", drags.high);
      node.setAttribute("aria-valuenow", drags.value);
      node.setAttribute("aria-valuetext", drags.said ?? `${drags.name} ${drags.value}`);
      node.setAttribute("aria-orientation", drags.upright ? "vertical" : "horizontal");
    } else if (mark.mix) {
      const { names, values } = mark.mix;
      node.setAttribute("tabindex", "0");
      node.setAttribute("aria-valuemin", 0);
      node.setAttribute("aria-valuemax", 100);
      node.setAttribute("aria-valuenow", values[0]);
      node.setAttribute("aria-valuetext", names.map((name, i) => `${name.replaceAll("_", " ")} ${values[i]}`).join(", "));
    }
  }

  // Marks that are no handles are one stop of Tab; arrows lead from one to the next.
  const stops = () => current.marks.filter((mark) => !isHandle(mark) && doesAnswer(mark) && !(mark.play && still.matches));

  function rove() {
    const every = stops();
    if (!every.some((mark) => mark.key === reached)) reached = every[0]?.key ?? null;
    for (const mark of every) {
      const { node } = shown.get(mark.key), stop = mark.key === reached ? "0" : "-1";
      if (node.getAttribute("tabindex") !== stop) node.setAttribute("tabindex", stop);
    }
  }

  function update(next) {
    const resized = current === null || current.width !== next.width;
    const jumps = resized || still.matches;
    current = next;
    svg.setAttribute("viewBox", `0 0 ${next.width} ${next.height}`);
    svg.setAttribute("aria-label", `${next.title}. ${next.description}`);
    if (carried) aim(next.marks);
    const following = held ? [held.key, ...(shown.get(held.key)?.mark.with ?? [])] : [];
    const stays = new Set(next.marks.map((mark) => mark.key));
    for (const [key, entry] of shown) entry.leaves = !stays.has(key);
    // What stays is never taken out of the page, or it would lose the focus.
    let cursor = svg.firstChild;
    const skip = () => {
      while (cursor && shown.get(cursor.dataset.key)?.leaves) cursor = cursor.nextSibling;
    };
    for (const mark of next.marks) {
      let entry = shown.get(mark.key);
      if (entry && entry.mark.shape !== mark.shape) {
        if (cursor === entry.node) cursor = cursor.nextSibling;
        entry.node.remove();
        entry = undefined;
      }
      if (!entry) {
        entry = make(mark);
        const parent = !jumps && mark.born ? shown.get(mark.born) : undefined;
        if (parent?.at.length === mark.at.length) entry.at = parent.at.slice();
        shown.set(mark.key, entry);
      }
      describe(entry, mark);
      const follows = carried?.leads[mark.key] || following.some((key) => under(mark.key, key));
      const moves = !jumps && !follows && entry.at.length === mark.at.length && !isSamePlace(entry.at, mark.at);
      entry.from = moves ? entry.at : mark.at;
      entry.to = mark.at;
      entry.at = entry.from;
      draw(entry);
      skip();
      if (entry.node === cursor) cursor = cursor.nextSibling;
      else svg.insertBefore(entry.node, cursor);
    }
    for (const [key, entry] of shown) {
      if (!entry.leaves) continue;
      let born = entry.mark.born;
      while (born && !stays.has(born)) born = shown.get(born)?.mark.born;
      const parent = jumps ? undefined : shown.get(born);
      if (parent?.to.length === entry.at.length) {
        entry.from = entry.at.slice();
        entry.to = parent.to;
      } else {
        entry.node.remove();
        shown.delete(key);
      }
    }
    rove();
    if (playing) follow();
    if (hot !== null && !shown.has(hot)) light(null);
    else if (hot !== null) light(hot);
    else if (lent.length) shine();
    began = performance.now();
    if (!jumps && !frame) frame = requestAnimationFrame(tween);
  }

  function tween(now) {
    const share = Math.min(Math.max((now - began) / TWEEN_MS, 0), 1), eased = 1 - (1 - share) ** 3;
    for (const [key, entry] of shown) {
      if (entry.from !== entry.to) {
        entry.at = share === 1 ? entry.to : entry.from.map((n, i) => n + (entry.to[i] - n) * eased);
        draw(entry);
      }
      if (share < 1) continue;
      entry.from = entry.to;
      if (entry.leaves) {
        entry.node.remove();
        shown.delete(key);
      }
    }
    frame = share < 1 ? requestAnimationFrame(tween) : 0;
  }

  const under = (key, above) => key === above || key.startsWith(`${above}/`);

  // Goes on when the last step is drawn; stops at the end, and when somebody else moves the setting.
  function follow() {
    const { value } = shown.get(playing.key)?.mark.play ?? {};
    if (value !== playing.asked && value !== playing.seen) stop();
    else playing.seen = value;
  }

  function step() {
    const { name, high } = shown.get(playing.key).mark.play;
    if (playing.seen !== playing.asked) return;
    if (playing.asked >= high) return stop();
    playing.asked += 1;
    send({ [name]: playing.asked }, false);
  }

  function stop() {
    clearInterval(playing?.timer);
    playing = null;
    svg.classList.remove("ee-playing");
  }

  function togglePlay({ key, play: { name, value, low, high } }) {
    if (playing) return stop();
    const asked = value < high ? value : low;
    playing = { key, timer: setInterval(step, PLAY_MS), asked, seen: value };
    svg.classList.add("ee-playing");
    if (asked !== value) send({ [name]: asked }, false);
  }

  function shine() {
    const mark = hot === null ? null : shown.get(hot)?.mark;
    const own = mark ? [hot, ...(mark.with ?? [])] : [], lit = [...own, ...lent];
    for (const [key, { node }] of shown) {
      node.classList.toggle("ee-lit", lit.some((above) => under(key, above)));
    }
    return own;
  }

  function light(key) {
    hot = key;
    const mark = key === null ? null : shown.get(key)?.mark;
    document.dispatchEvent(new CustomEvent("ee-light", { detail: { from: root, lit: shine() } }));
    tip.hidden = !mark?.words;
    if (tip.hidden) return;
    tip.textContent = mark.words;
    place(shown.get(key).node.getBoundingClientRect());
  }

  document.addEventListener("ee-light", ({ detail }) => {
    const lab = root.closest(".ee-lab");
    if (detail.from === root || !lab || detail.from.closest(".ee-lab") !== lab) return;
    lent = detail.lit;
    shine();
  }, { signal: listening.signal });

  // Above the mark, or below it where there is no room; never beyond the picture's sides.
  function place(box) {
    // All is read before anything is written: to read in between would lay the page out once more.
    const room = root.getBoundingClientRect(), scale = room.width / root.offsetWidth || 1;
    const said = tip.getBoundingClientRect(), wide = Math.ceil(said.width / scale), high = said.height / scale;
    const middle = (box.left + box.width / 2 - room.left) / scale, most = root.offsetWidth - wide;
    const above = (box.top - room.top) / scale - high - 6;
    tip.style.left = `${Math.max(0, Math.min(middle - wide / 2, most))}px`;
    tip.style.top = `${above >= -high / 2 ? above : (box.bottom - room.top) / scale + 6}px`;
  }

  const keyOf = (target) => target.closest?.("[data-key]")?.dataset.key;
  const answering = (key) => {
    const mark = key === undefined ? undefined : shown.get(key)?.mark;
    return mark && doesAnswer(mark) ? mark : undefined;
  };

  function send(settings, moving) {
    ready = [{ ...ready?.[0], ...settings }, { moving }]; // a key right after another takes its value along
    sending ||= requestAnimationFrame(() => {
      const [asked, how] = ready;
      sending = 0;
      ready = null;
      onSet(asked, how);
    });
  }

  function dragTo(event) {
    const box = svg.getBoundingClientRect(), scale = current.width / box.width;
    const at = { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
    const values = valuesAt(held, at);
    held.last = inSteps(held, values);
    carry(held.key, values);
    return held.last;
  }

  function handleNear(event) {
    let best, least = REACH_PX;
    for (const { node, mark } of shown.values()) {
      if (!isHandle(mark)) continue;
      const box = node.getBoundingClientRect();
      const away = Math.hypot(event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2);
      if (away < least) [best, least] = [mark, away];
    }
    return best;
  }

  listen("pointerover", (event) => {
    if (!held) light(answering(keyOf(event.target))?.key ?? null);
  });
  listen("pointerleave", (event) => {
    if (!held && event.pointerType === "mouse") light(null);
  });
  listen("pointerdown", (event) => {
    const mark = answering(keyOf(event.target));
    const handle = mark && isHandle(mark) ? mark : mark && isButton(mark) ? undefined : handleNear(event);
    if (!handle || event.button) return;
    event.preventDefault();
    held = { key: handle.key, drag: handle.drag, mix: handle.mix };
    shown.get(handle.key).node.focus({ preventScroll: true, focusVisible: false });
    svg.setPointerCapture(event.pointerId);
    svg.classList.add("ee-dragging");
    light(handle.key);
    if (handle.shape === "box" || handle.shape === "area") send(dragTo(event), true); // pressed, it goes there
  });
  listen("pointermove", (event) => {
    if (held) send(dragTo(event), true);
  });
  const release = (event) => {
    if (!held) return;
    const moved = held.last && (event.type === "pointerup" ? dragTo(event) : held.last);
    if (moved) carry(held.key, moved); // between two steps it lay under the hand
    held = null;
    svg.classList.remove("ee-dragging");
    if (moved) send(moved, false);
  };
  listen("pointerup", release);
  listen("pointercancel", release);
  listen("click", (event) => {
    const mark = answering(keyOf(event.target));
    if (mark && !isHandle(mark)) push(mark);
  });
  listen("focusin", (event) => {
    const mark = answering(keyOf(event.target));
    if (!mark) return;
    light(mark.key);
    if (isHandle(mark)) return;
    reached = mark.key;
    rove();
  });
  listen("focusout", () => light(null));
  listen("keydown", (event) => {
    const mark = answering(keyOf(event.target));
    if (!mark || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") light(null);
    const answered = isHandle(mark) ? pressHandle(mark, event.key) : press(mark, event.key);
    if (!answered) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook has commands on bare keys
  });

  function push(mark) {
    if (mark.play) togglePlay(mark);
    else if (mark.sets) send(mark.sets, false);
  }

  function press(mark, key) {
    if (isButton(mark) && (key === "Enter" || key === " ")) {
      push(mark);
      return true;
    }
    const every = stops(), here = every.findIndex((one) => one.key === mark.key);
    const to = { Home: 0, End: every.length - 1, ArrowRight: here + 1, ArrowDown: here + 1 }[key]
      ?? (key === "ArrowLeft" || key === "ArrowUp" ? here - 1 : -1);
    if (!every[to]) return false;
    shown.get(every[to].key).node.focus();
    return true;
  }

  // Presses in a row go on from what was asked for, also while the answer to the last one is on its way.
  let asked = { key: null, name: null, value: 0, when: -Infinity };
  function pressHandle(mark, key) {
    if (mark.sets && key === "Enter") {
      push(mark);
      return true;
    }
    if (mark.mix) return pressMix(mark, key);
    const upright = key === "ArrowUp" || key === "ArrowDown";
    const drag = mark.drag.find((one) => mark.drag.length > 1 && one.upright === upright) ?? mark.drag[0];
    const waits = asked.key === mark.key && asked.name === drag.name && performance.now() - asked.when < 500;
    const value = valueByKey(drag, key, waits ? asked.value : drag.value);
    if (value === undefined) return false;
    asked = { key: mark.key, name: drag.name, value, when: performance.now() };
    send({ [drag.name]: value }, false);
    return true;
  }

  function pressMix(mark, key) {
    const waits = asked.key === mark.key && performance.now() - asked.when < 500;
    const settings = mixedByKey(mark.mix, key, waits ? asked.value : mark.mix.values);
    if (!settings) return false;
    asked = { key: mark.key, name: null, value: mark.mix.names.map((name) => settings[name]), when: performance.now() };
    send(settings, false);
    return true;
  }

  update(scene);
  return {
    update,
    settle,
    destroy() {
      light(null);
      stop();
      cancelAnimationFrame(frame);
      cancelAnimationFrame(sending);
      listening.abort();
      root.remove();
    },
  };
}

// In anywidget's form: traits `scene` as JSON, `touched` (what was set, counted, so that the same click counts twice),
// `answered` (the count of the last one that the scene follows) and `room` (the width there is).
export default {
  render({ model, el }) {
    const count = () => model.get("touched").count ?? 0;
    const tell = (name, value) => {
      model.set(name, value);
      model.save_changes();
    };
    const scene = () => JSON.parse(model.get("scene"));
    const picture = create(el, scene(), {
      onSet: (sets, { moving }) => tell("touched", { sets, moving, count: count() + 1 }),
    });
    const unwatch = watchWidth(el, (width) => tell("room", width));
    const draw = () => picture.update(scene());
    const settle = () => model.get("answered") === count() && picture.settle();
    model.on("change:scene", draw);
    model.on("change:answered", settle);
    return () => {
      model.off("change:scene", draw);
      model.off("change:answered", settle);
      unwatch();
      picture.destroy();
    };
  },
};
