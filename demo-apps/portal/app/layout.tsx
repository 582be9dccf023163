import type { Viewport } from 'next';
import type { ReactNode } from 'react';
import '@slo-hub-demo/shared/styles.css';
import './portal.css';

export const viewport: Viewport = { width: 'device-width', initialScale: 1, colorScheme: 'light dark' };

export default function Layout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
