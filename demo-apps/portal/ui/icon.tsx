export const LOGO = 'M4 20V9l8-5 8 5v11M4 20h16M9.5 20v-5a2.5 2.5 0 0 1 5 0v5M9 10.5h.01M15 10.5h.01';
export const DOOR = 'M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M10 12h10M16 8l4 4-4 4';
export const AWAY = 'M8 16l8-8M9 8h7v7';

/** A drawing on a 24 by 24 grid, for the eye only. */
export function Icon({ path, className = 'icon' }: { readonly path: string; readonly className?: string }) {
  return (
    <svg viewBox="0 0 24 24" className={className} aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
