'use client';

import { Fault } from '../ui/gate';

/** What is said of the fault is for the log, not for the person. */
export default function Broken() {
  return <Fault title="Something went wrong" text="Portal, or the sign-in service, has trouble. Try again in a moment." />;
}
