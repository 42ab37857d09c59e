// A small decider with a balance, an overdraft refusal and a fee that falls due: enough to see the write loop work.
import { EventCodec, personalTable } from '../../src/event-log/codec.js';
import type { EventLog } from '../../src/event-log/event-log.js';
import { Keyring } from '../../src/event-log/keyring.js';
import { StateCache } from '../../src/event-log/state-cache.js';
import { type CommandContext, EventStore } from '../../src/event-log/transact.js';
import { addMs, dayMs } from '../../src/kernel/clock.js';
import type { Decider } from '../../src/kernel/decider.js';
import type { CommandOf, DomainEvent } from '../../src/kernel/message.js';
import { Rejection } from '../../src/kernel/rejection.js';

export type AccountEvent =
  | DomainEvent<'Deposited', { amount: number }>
  | DomainEvent<'Withdrawn', { amount: number }>
  | DomainEvent<'FeeCharged', { fee: number }>;
export type AccountCommand = CommandOf<{ Deposit: { amount: number }; Withdraw: { amount: number } }>;
export interface Account {
  readonly balance: number;
  readonly feeDueAt?: string;
}

/** A fee of one falls due 30 days after the first deposit, once. */
export const account: Decider<AccountCommand, AccountEvent, Account> = {
  category: 'account',
  initialState: { balance: 0 },
  decide: {
    Deposit: ({ data }) => [{ type: 'Deposited', data }],
    Withdraw: ({ data }, { balance }) => {
      if (balance < data.amount) throw new Rejection('too-little', 'the balance is too small', { balance });
      return [{ type: 'Withdrawn', data }];
    },
  },
  evolve: {
    Deposited: (state, { data }, { revision, occurredAt }) => ({
      ...state,
      balance: state.balance + data.amount,
      ...(revision === 0 ? { feeDueAt: addMs(occurredAt, 30 * dayMs) } : {}),
    }),
    Withdrawn: (state, { data }) => ({ ...state, balance: state.balance - data.amount }),
    FeeCharged: ({ balance }, { data }) => ({ balance: balance - data.fee }),
  },
  due: ({ feeDueAt }, now) =>
    feeDueAt !== undefined && feeDueAt <= now ? [{ type: 'FeeCharged', data: { fee: 1 }, occurredAt: feeDueAt }] : [],
};

const now = '2026-01-01T00:00:00.000Z';
export function deposit(amount: number): AccountCommand {
  return { type: 'Deposit', data: { amount }, now };
}
export function withdraw(amount: number): AccountCommand {
  return { type: 'Withdraw', data: { amount }, now };
}

export function contextOf(commandId?: string, requestHash?: string, at = now): CommandContext {
  return {
    actor: { kind: 'member', id: 'anna' },
    occurredAt: at,
    receivedAt: at,
    correlationId: 'test',
    source: 'client',
    ...(commandId === undefined ? {} : { commandId }),
    ...(requestHash === undefined ? {} : { requestHash }),
  };
}

export function storeOn(
  log: Pick<EventLog, 'append' | 'appendMany' | 'readStream'>,
  options: { shared?: boolean; weightMax?: number } = {},
): EventStore {
  const keyring = new Keyring({ log, masterKey: Buffer.alloc(32, 7), clock: { now: () => Date.parse(now) } });
  const codec = new EventCodec(keyring, personalTable({}));
  return new EventStore({ log, codec, shared: options.shared ?? false, cache: new StateCache(options.weightMax) });
}
