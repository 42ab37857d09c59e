// The page asks with an API key of scope `analyst` (both views) or `brand:<id>` (that brand's view).
import { useState } from 'preact/hooks';

export function KeyForm(props: { onKey: (key: string) => void }) {
  const [key, setKey] = useState('');
  return (
    <form
      class="card key"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim()) props.onKey(key.trim());
      }}
    >
      <h1>Homing</h1>
      <p class="note">
        The dashboard asks with an API key of scope <code>analyst</code>, or <code>brand:…</code> for one brand. The
        service prints its first keys when it is started for the first time; <code>npm run homing -- keys create</code>{' '}
        makes another. The key stays in this tab.
      </p>
      <label>
        API key
        <input type="password" autocomplete="off" value={key} onInput={(event) => setKey(event.currentTarget.value)} />
      </label>
      <button type="submit">Open</button>
    </form>
  );
}
