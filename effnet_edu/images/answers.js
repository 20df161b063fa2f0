// What a page says of a network's answer: classes with their probabilities, and where they were computed.

// Softmax, the most likely first.
export const ranked = logits => {
  const most = Math.max(...logits), shares = [...logits].map(logit => Math.exp(logit - most));
  const sum = shares.reduce((total, one) => total + one, 0);
  return shares.map((one, index) => ({ index, share: one / sum })).sort((a, b) => b.share - a.share);
};

export const percent = share => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;

const BROWSERS = [[/Firefox\/(\d+)/, "Firefox"], [/Edg\/(\d+)/, "Edge"], [/Chrome\/(\d+)/, "Chrome"],
  [/Version\/(\d+).* Safari/, "Safari"]];

// What the browser tells of itself and, where the processor computes, of that.
export const browser = (on_cpu = true) => {
  const agent = navigator.userAgent;
  const [pattern, name] = BROWSERS.find(([known]) => known.test(agent)) ?? [null, "this browser"];
  const version = pattern ? ` ${pattern.exec(agent)[1]}` : "";
  const processor = on_cpu ? `, one thread of ${navigator.hardwareConcurrency}` : "";
  return `${name}${version} on ${navigator.userAgentData?.platform || navigator.platform}${processor}`;
};
