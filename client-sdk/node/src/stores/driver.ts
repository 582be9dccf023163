/**
 * Says at once what a store was not given, and which package brings it, rather than with the first session.
 *
 * @throws TypeError where it has no such method.
 */
export function needs<Driver extends object>(driver: Driver, method: keyof Driver & string, what: string): Driver {
  if (typeof (driver as Partial<Driver> | null | undefined)?.[method] === 'function') return driver;
  throw new TypeError(`the store takes ${what}`);
}
