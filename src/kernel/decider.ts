// A decider is two tables keyed by message type: what a command leads to, and what an event changes. Pure.
import type { Command, DomainEvent } from './message.js';

/** Where and when an event of the stream's past stands. */
export interface EventPlace {
  /** The event's id. */
  readonly id: string;
  /** Its number within the stream, 0-based. */
  readonly revision: number;
  readonly occurredAt: string;
  readonly receivedAt: string;
}

export interface Decider<C extends Command, E extends DomainEvent, State> {
  /** The stream category; the stream is `<category>-<id>`. */
  readonly category: string;
  readonly initialState: State;
  /**
   * `[]` means "already so": nothing is recorded and the command succeeded.
   * @throws Rejection when the business says no.
   */
  readonly decide: {
    readonly [Type in C['type']]: (command: Extract<C, { type: Type }>, state: State) => readonly E[];
  };
  readonly evolve: {
    readonly [Type in E['type']]: (state: State, event: Extract<E, { type: Type }>, place: EventPlace) => State;
  };
  /**
   * What is already due in this stream at `now` and not yet recorded, each dated when it was due. It is emitted before
   * any command is decided, so that a late timer changes no history.
   */
  readonly due?: (state: State, now: string) => readonly E[];
  /** The state needs only the last `tail` events of a long stream; absent: the whole stream. */
  readonly tail?: number;
}

/** Folds events with a decider's `evolve`; a type the table does not know leaves the state as it is. */
export function evolve<C extends Command, E extends DomainEvent, State>(
  decider: Decider<C, E, State>,
  state: State,
  event: DomainEvent,
  place: EventPlace,
): State {
  if (!Object.hasOwn(decider.evolve, event.type)) return state;
  const apply = decider.evolve[event.type as E['type']] as (
    state: State,
    event: DomainEvent,
    place: EventPlace,
  ) => State;
  return apply(state, event, place);
}

/** Decides a command; an unknown command type is a fault of the program, not of the caller. */
export function decide<C extends Command, E extends DomainEvent, State>(
  decider: Decider<C, E, State>,
  command: C,
  state: State,
): readonly E[] {
  if (!Object.hasOwn(decider.decide, command.type)) {
    throw new TypeError(`${decider.category}: no decision for command ${command.type}`);
  }
  const choose = decider.decide[command.type as C['type']] as (command: C, state: State) => readonly E[];
  return choose(command, state);
}
