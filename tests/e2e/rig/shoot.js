const WINDOWS = { phone: { width: 390, height: 844 }, desktop: { width: 1100, height: 760 } };

/** Takes pictures of a page on a phone and on a desktop, light and dark; `name` begins their paths. */
export async function shoot(page, name) {
  for (const [device, size] of Object.entries(WINDOWS)) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${name}-${device}-${colorScheme}.png`, fullPage: true });
    }
  }
}
