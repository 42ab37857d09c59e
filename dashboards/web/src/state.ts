// The URL is the state: view, period, filters. Back, forward and a copied link all work. The API key never stands in it:
// it comes once in the fragment (which is not sent to any server) and is kept for the tab only.
import { useEffect, useState } from 'preact/hooks';

export type View = 'sharing' | 'brand';
export interface State {
  readonly view: View;
  /** Days back from the last complete day. */
  readonly days: number;
  readonly channel?: string;
  readonly creator?: string;
  readonly content?: string;
  readonly brand?: string;
}
export type Filter = 'channel' | 'creator' | 'content';

export const periods = [
  { days: 7, label: '7 days', key: 'w' },
  { days: 14, label: '14 days', key: 'f' },
  { days: 30, label: '30 days', key: 't' },
  { days: 90, label: '90 days', key: 'q' },
] as const;
const keyName = 'homing-key';

export function readState(search: string): State {
  const params = new URLSearchParams(search);
  const days = Number(params.get('days'));
  const text = (name: string) => params.get(name) ?? undefined;
  return {
    view: params.get('view') === 'brand' ? 'brand' : 'sharing',
    days: periods.some((period) => period.days === days) ? days : 30,
    ...optional('channel', text('channel')),
    ...optional('creator', text('creator')),
    ...optional('content', text('content')),
    ...optional('brand', text('brand')),
  };
}

function optional<Name extends string>(name: Name, value: string | undefined): { [K in Name]?: string } {
  return value ? ({ [name]: value } as { [K in Name]?: string }) : {};
}

export function writeState(state: State): string {
  const params = new URLSearchParams({ view: state.view, days: String(state.days) });
  for (const name of ['channel', 'creator', 'content', 'brand'] as const) {
    const value = state[name];
    if (value) params.set(name, value);
  }
  return `?${params}`;
}

/** The state and a way to change it; `undefined` removes a filter. */
export function useUrlState(): [State, (change: { [K in keyof State]?: State[K] | undefined }) => void] {
  const [state, setState] = useState(() => readState(location.search));
  useEffect(() => {
    const back = () => setState(readState(location.search));
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);
  const change = (patch: { [K in keyof State]?: State[K] | undefined }) => {
    const search = writeState({ ...state, ...patch } as State);
    history.pushState(null, '', search);
    setState(readState(search));
  };
  return [state, change];
}

/** Takes `#key=…` out of the address at once, so that a copied link never carries it. */
export function takeKey(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('key');
  if (given) {
    sessionStorage.setItem(keyName, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(keyName) ?? undefined;
}
export function keepKey(key: string | undefined): void {
  if (key) sessionStorage.setItem(keyName, key);
  else sessionStorage.removeItem(keyName);
}
