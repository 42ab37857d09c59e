// The contract of the event log as one suite over every adapter. Each rule bites: event-log.contract.e2e-spec.ts plants
// a fault for every one of them.
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { EventLog } from '../../src/event-log/event-log.js';
import { appendRules } from './contract/append.rules.js';
import { idempotencyRules } from './contract/idempotency.rules.js';
import { readRules } from './contract/read.rules.js';
import { retentionRules } from './contract/retention.rules.js';
import type { Rule } from './contract/rule.js';
import { subscribeRules } from './contract/subscribe.rules.js';

export const rulesByChapter: Readonly<Record<string, readonly Rule[]>> = {
  append: appendRules,
  idempotency: idempotencyRules,
  read: readRules,
  subscribe: subscribeRules,
  retention: retentionRules,
};

export interface LogFactory {
  /** Opens a log; `appendBytesMax` is its size limit for one append. */
  open(): Promise<EventLog>;
  readonly appendBytesMax: number;
  /** True where appendMany is one commit. */
  readonly allOrNothing: boolean;
  /** Ends the log and opens it again on the same data; absent where the server is not ours to restart. */
  restart?(): Promise<EventLog>;
  /** Ends the log and removes what it left. */
  close(): Promise<void>;
}

/** How long a rule waits for what should come, in ms. */
const patienceMs = 20_000;

export function eventLogContract(name: string, factory: LogFactory): void {
  describe(`${name} keeps the contract of the event log`, () => {
    let log: EventLog;
    beforeAll(async () => {
      log = await factory.open();
    });
    afterAll(() => factory.close());

    const restart = factory.restart && {
      restart: async (): Promise<EventLog> => {
        log = (await factory.restart?.()) ?? log;
        return log;
      },
    };
    for (const [chapter, rules] of Object.entries(rulesByChapter)) {
      describe(chapter, () => {
        for (const rule of rules) {
          const run = rule.needsRestart && !restart ? it.skip : it;
          run(rule.says, () => rule.check({ log, ...restart, ...factoryFacts(factory), patienceMs }));
        }
      });
    }
  });
}

function factoryFacts({ appendBytesMax, allOrNothing }: LogFactory): { appendBytesMax: number; allOrNothing: boolean } {
  return { appendBytesMax, allOrNothing };
}
