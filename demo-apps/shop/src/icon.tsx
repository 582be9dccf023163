/** A line icon on a 24 by 24 grid, for decoration: screen readers skip it. */
export function Icon({ path, className = 'icon' }: { path: string; className?: string }) {
  return (
    <svg viewBox="0 0 24 24" className={className} aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
