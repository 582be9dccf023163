const BROWSERS = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/(Headless)?Chrom(e|ium)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];

const SYSTEMS = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Mac OS X/, 'macOS'],
  [/Windows/, 'Windows'],
  [/Linux/, 'Linux'],
];

/** "Firefox on Linux": what a person would call the browser behind a `User-Agent`. */
export function browserName(userAgent = '') {
  const called = (table) => table.find(([sign]) => sign.test(userAgent))?.[1];
  const system = called(SYSTEMS);
  const browser = called(BROWSERS) ?? 'A browser';
  return system === undefined ? browser : `${browser} on ${system}`;
}
