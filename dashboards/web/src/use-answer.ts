// One request per card: the answer, the problem, or nothing yet. A newer request makes an older one's answer void.
import { useEffect, useState } from 'preact/hooks';

export type Answer<Data> =
  | { readonly state: 'loading' }
  | { readonly state: 'problem'; readonly detail: string }
  | { readonly state: 'ready'; readonly data: Data };

export function useAnswer<Data>(ask: ((signal: AbortSignal) => Promise<Data>) | undefined, key: string): Answer<Data> {
  const [answer, setAnswer] = useState<Answer<Data>>({ state: 'loading' });
  // The key names the request; the function is new at every render.
  useEffect(() => {
    if (!ask) return undefined;
    const abort = new AbortController();
    setAnswer({ state: 'loading' });
    ask(abort.signal).then(
      (data) => setAnswer({ state: 'ready', data }),
      (error: unknown) => {
        if (!abort.signal.aborted) setAnswer({ state: 'problem', detail: String((error as Error).message ?? error) });
      },
    );
    return () => abort.abort();
  }, [key]);
  return answer;
}
