// The clock of a service that runs by the importer's word. It tells how far an earlier run has come, too: it is never
// ahead of the lowest time still under way, so everything that happens before it has been carried out.
import type { HttpClient } from './http-client.js';

/** The service does not run by the import clock, or the key may not move it. */
export class ClockError extends Error {}

/**
 * Moves the clock there, unless it is further already.
 * @param waitForTimers answer when everything that fell due until then is recorded
 * @returns where it stands, ISO
 */
export async function moveClock(
  now: string,
  { client, importKey }: { readonly client: HttpClient; readonly importKey: string },
  waitForTimers = false,
): Promise<string> {
  const headers = { authorization: `Bearer ${importKey}`, 'content-type': 'application/json' };
  const request = { method: 'POST', path: '/v1/clock', headers, body: JSON.stringify({ now, waitForTimers }) };
  const { status, body } = await client.send(request);
  if (status >= 300) throw new ClockError(`POST /v1/clock: status ${status}, ${JSON.stringify(body)}`);
  return (body as { now: string }).now;
}
