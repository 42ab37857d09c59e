// Every event that anything is counted of → rows of the fact table. From the event alone: the same event gives the
// same rows whenever and by whomever it is folded. Texts, names and handles are never among them.
import type { AnyEvent, Row, RowProjection } from '../src/kernel/projection.js';
import { commerceFacts } from './commerce.facts.js';
import { factColumns, factRows } from './fact-row.js';
import { sharingFacts } from './sharing.facts.js';
import { talkFacts } from './talk.facts.js';

const handlers = { ...sharingFacts, ...talkFacts, ...commerceFacts };

export const eventFacts: RowProjection = {
  name: 'facts',
  version: 4,
  table: 'event_facts',
  columns: Object.keys(factColumns),
  partitionBy: 'occurred_at',
  on: Object.fromEntries(
    Object.entries(handlers).map(([type, handler]): [string, (event: AnyEvent) => readonly Row[]] => [
      type,
      (event) => factRows(event, handler(event)),
    ]),
  ),
};
