// From the pixels of a photograph to a network's input, to the last bit as the library does it: Pillow's resampling in
// whole numbers (its file Resample.c), then crop, mean and standard deviation in single precision.
const BITS = 22;
const bicubic = x => {
  const a = -0.5;
  x = Math.abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
};
const bilinear = x => Math.max(0, 1 - Math.abs(x));
const FILTERS = { bicubic: [bicubic, 2], bilinear: [bilinear, 1] };

// For each new pixel: the first old one that it is made of, and their weights.
const weights = (from, to, [filter, support]) => {
  const scale = from / to, wide = Math.max(scale, 1), reach = support * wide;
  return Array.from({ length: to }, (_, n) => {
    const centre = (n + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(from, Math.trunc(centre + reach + 0.5));
    const raw = Array.from({ length: last - first }, (_, k) => filter((k + first - centre + 0.5) * (1 / wide)));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return [first, raw.map(weight => {
      const whole = (sum ? weight / sum : weight) * (1 << BITS);
      return Math.trunc(whole + (whole < 0 ? -0.5 : 0.5));
    })];
  });
};

// Resizes along one axis: `count` lines of pixels that lie `step` apart, lines `line` apart.
const along = (source, from, to, filter, count, [step, line], [new_step, new_line]) => {
  if (from === to) return source;
  const made = new Uint8ClampedArray(source.length / from * to);
  weights(from, to, filter).forEach(([first, shares], n) => {
    for (let l = 0; l < count; l++)
      for (let colour = 0; colour < 3; colour++) {
        let sum = 1 << (BITS - 1);
        for (let k = 0; k < shares.length; k++) sum += source[(first + k) * step + l * line + colour] * shares[k];
        made[n * new_step + l * new_line + colour] = sum >> BITS;
      }
  });
  return made;
};

// Where each new pixel lies among the old ones; summed up, as Pillow does it, with its rounding.
const nearest = (from, to) => {
  let at = from / to / 2;
  return Array.from({ length: to }, () => {
    const found = Math.trunc(at);
    at += from / to;
    return found;
  });
};

const resized = ({ data, width, height }, [high, wide], interpolation) => {
  if (interpolation === "nearest") {
    const made = new Uint8ClampedArray(4 * high * wide);
    const columns = nearest(width, wide);
    nearest(height, high).forEach((row, y) => columns.forEach((column, x) => {
      const from = 4 * (row * width + column);
      made.set(data.subarray(from, from + 3), 4 * (y * wide + x));
    }));
    return made;
  }
  const filter = FILTERS[interpolation];
  const rows = along(data, width, wide, filter, height, [4, 4 * width], [4, 4 * wide]);
  return along(rows, height, high, filter, wide, [4 * wide, 4], [4 * wide, 4]);
};

// As Python rounds: a half goes to the even neighbour.
const rounded = x => {
  const down = Math.floor(x);
  return x - down === 0.5 ? down + down % 2 : Math.round(x);
};

// `picture` is ImageData; `how` is the library's Preprocessing. Returns the input (1, 3, side, side) and what it shows, RGBA.
export const prepared = (picture, how) => {
  const { resolution: side, resize, fit, interpolation, mean, std, value_range } = how;
  const short = Math.min(picture.width, picture.height);
  const [high, wide] = fit === "crop"
    ? [picture.height, picture.width].map(length => Math.trunc(resize * length / short)) : [resize, resize];
  const pixels = resized(picture, [high, wide], interpolation);
  const top = rounded((high - side) / 2), left = rounded((wide - side) / 2);
  const input = new Float32Array(3 * side * side), shown = new Uint8ClampedArray(4 * side * side).fill(255);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      for (let colour = 0; colour < 3; colour++) {
        const value = pixels[4 * ((top + y) * wide + left + x) + colour];
        shown[4 * (y * side + x) + colour] = value;
        const scaled = value_range === 255 ? value : Math.fround(value / 255);
        input[(colour * side + y) * side + x] = Math.fround(scaled - Math.fround(mean[colour])) / Math.fround(std[colour]);
      }
  return { input, shown };
};

// What a picture's file holds, as ImageData: upright, on white where it is transparent, with its numbers as they are.
export const pixels_of = async file => {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, bitmap.width, bitmap.height);
  pen.drawImage(bitmap, 0, 0);
  return pen.getImageData(0, 0, bitmap.width, bitmap.height);
};
