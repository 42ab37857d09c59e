// What the facts are made of, for every thread and command that folds them.
import { eventFacts } from '../../projections/event-facts.rows.js';
import { factColumns } from '../../projections/fact-row.js';
import type { FactSource } from '../projector/clickhouse/chunk/chunk.js';

export const factSource: FactSource = { projection: eventFacts, types: factColumns };
