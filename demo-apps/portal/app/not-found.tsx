import { connection } from 'next/server';
import { Fault } from '../ui/gate';

export default async function NotFound() {
  await connection();
  return <Fault title="There is no such page" text="The address may have a mistake in it." />;
}
