// A decider in the words of the business: given what happened, when this is asked, then this happens.
// Every event that comes out must be one the catalog knows.
/* oxlint-disable unicorn/no-thenable -- given, when, then; nobody awaits it. */
import { expect } from '@jest/globals';
import { eventCatalog } from '../src/domain/catalog.js';
import { type Decider, decide, evolve } from '../src/kernel/decider.js';
import type { Command, DomainEvent } from '../src/kernel/message.js';
import { Rejection } from '../src/kernel/rejection.js';

/** When everything without a time of its own happens. */
export const t0 = '2026-03-02T10:00:00.000Z';

interface When<E extends DomainEvent, State> {
  /** Exactly these events: type, data, and the time where it is not the command's. */
  then(...events: readonly E[]): void;
  thenNothing(): void;
  thenRejects(code: string): void;
  /** Events of these types, in this order; for when the data is another test's matter. */
  thenTypes(...types: readonly E['type'][]): void;
  /** For what is said about the outcome otherwise. */
  readonly outcome: () => { readonly events: readonly E[]; readonly state: State };
}

/** What storing and reading again makes of it: JSON without what is undefined. */
export function stored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** The stream as the write side runs it: what is due comes first, then what the command leads to. */
export class Story<C extends Command, E extends DomainEvent, State> {
  state: State;
  readonly events: E[] = [];
  /** When each of `events` happened. */
  readonly times: string[] = [];
  constructor(private readonly decider: Decider<C, E, State>) {
    this.state = decider.initialState;
  }

  /** Records an event at its own time, or at `now`. */
  record(event: E, now: string): void {
    const schema = eventCatalog[event.type];
    if (!schema) throw new Error(`${event.type} is not in the catalog`);
    const data = schema.parse(stored(event.data));
    const occurredAt = event.occurredAt ?? now;
    const place = {
      id: event.id ?? `event-${this.events.length}`,
      revision: this.events.length,
      occurredAt,
      receivedAt: now,
    };
    this.state = evolve(this.decider, this.state, stored({ ...event, data }), place);
    this.events.push(event);
    this.times.push(occurredAt);
  }

  /** What is due at `now` without any command. */
  tick(now: string): readonly E[] {
    const due = this.decider.due?.(this.state, now) ?? [];
    for (const event of due) this.record(event, now);
    return due;
  }

  /** Nothing is recorded when it is refused. @throws Rejection */
  carryOut(command: C): readonly E[] {
    const before = { state: this.state, length: this.events.length };
    try {
      const due = this.tick(command.now);
      const decided = decide(this.decider, command, this.state);
      for (const event of decided) this.record(event, command.now);
      return [...due, ...decided];
    } catch (error) {
      this.state = before.state;
      this.events.length = before.length;
      this.times.length = before.length;
      throw error;
    }
  }
}

export function given<C extends Command, E extends DomainEvent, State>(
  decider: Decider<C, E, State>,
): (...past: readonly E[]) => { when(command: C): When<E, State> } {
  return (...past) => ({
    when(command) {
      const story = new Story(decider);
      for (const event of past) story.record(event, t0);
      const run = (): readonly E[] => stored(story.carryOut(command));
      return {
        // biome-ignore lint/suspicious/noThenProperty: given, when, then; nobody awaits it.
        then: (...events) => expect(run()).toEqual(stored(events)),
        thenNothing: () => expect(run()).toEqual([]),
        thenTypes: (...types) => expect(run().map(({ type }) => type)).toEqual(types),
        thenRejects: (code) => {
          let refused: unknown;
          try {
            run();
          } catch (error) {
            refused = error;
          }
          expect(refused).toBeInstanceOf(Rejection);
          expect((refused as Rejection).code).toBe(code);
        },
        outcome: () => ({ events: run(), state: story.state }),
      };
    },
  });
}
