/** Paths of line icons on a 24 by 24 grid. */

/** An arrow that leads to another site. */
export const AWAY = 'M8 16l8-8M9 8h7v7';
