// The page: who is asking (an API key), which view, which period, which filters. Everything else is a view's business.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Api, type Catalogue, createApi } from './api.js';
import { BrandView } from './brand-view.js';
import { instant } from './format.js';
import { KeyForm } from './key-form.js';
import { SharingView } from './sharing-view.js';
import { type Filter, keepKey, periods, type State, takeKey, useUrlState } from './state.js';
import './style.css';
import { useAnswer } from './use-answer.js';

function App() {
  const [key, setKey] = useState(takeKey);
  if (!key) {
    return (
      <KeyForm
        onKey={(given) => {
          keepKey(given);
          setKey(given);
        }}
      />
    );
  }
  const forget = () => {
    keepKey(undefined);
    setKey(undefined);
  };
  return <Page api={createApi(key)} onForget={forget} />;
}

/** Asked again this often, so that "data complete up to" moves by itself. */
const refreshMs = 30_000;

function Page(props: { api: Api; onForget: () => void }) {
  const [state, change] = useUrlState();
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((value) => value + 1), refreshMs);
    return () => clearInterval(timer);
  }, []);
  const answer = useAnswer((signal) => props.api.catalogue(signal), `catalogue ${tick}`);
  const [last, setLast] = useState<Catalogue>();
  useEffect(() => {
    if (answer.state === 'ready') setLast(answer.data);
  }, [answer]);
  useShortcuts(change);
  return (
    <main>
      <Top state={state} change={change} catalogue={last} onForget={props.onForget} />
      {answer.state === 'problem' && <p class="problem">{answer.detail}</p>}
      {last && <Chips state={state} change={change} />}
      {last && state.view === 'sharing' && (
        <SharingView api={props.api} state={state} change={change} catalogue={last} />
      )}
      {last && state.view === 'brand' && <BrandView api={props.api} state={state} change={change} catalogue={last} />}
    </main>
  );
}

type Change = ReturnType<typeof useUrlState>[1];

function Top(props: { state: State; change: Change; catalogue: Catalogue | undefined; onForget: () => void }) {
  const { state, change, catalogue } = props;
  return (
    <header class="top">
      <h1>Homing</h1>
      <nav class="group" aria-label="View">
        <button type="button" aria-pressed={state.view === 'sharing'} onClick={() => change({ view: 'sharing' })}>
          Sharing
        </button>
        <button type="button" aria-pressed={state.view === 'brand'} onClick={() => change({ view: 'brand' })}>
          Brand
        </button>
      </nav>
      <fieldset class="group" aria-label="Period">
        {periods.map((period) => (
          <button
            key={period.days}
            type="button"
            title={`Key: ${period.key}`}
            aria-pressed={state.days === period.days}
            onClick={() => change({ days: period.days })}
          >
            {period.label}
          </button>
        ))}
      </fieldset>
      <span class="spread" />
      <span class="complete" id="complete-up-to">
        {catalogue && state.view === 'sharing' && (
          <>
            Data complete up to <strong>{instant(catalogue.completeUpTo, catalogue.timeZone)}</strong>
          </>
        )}
        {!catalogue && 'Asking …'}
      </span>
      <button class="plain" type="button" onClick={props.onForget}>
        forget key
      </button>
    </header>
  );
}

function Chips(props: { state: State; change: Change }) {
  const filters: readonly Filter[] = ['channel', 'creator', 'content'];
  const set = filters.filter((name) => props.state[name]);
  if (set.length === 0) return null;
  return (
    <ul class="chips">
      {set.map((name) => (
        <li key={name}>
          <button type="button" title="Remove this filter" onClick={() => props.change({ [name]: undefined })}>
            {name}: {props.state[name]} ×
          </button>
        </li>
      ))}
    </ul>
  );
}

function useShortcuts(change: Change): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
      const period = periods.find((each) => each.key === event.key);
      if (period) change({ days: period.days });
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  });
}

const root = document.getElementById('app');
if (root) render(<App />, root);
