// Puts the drafts into the order of time and fills in what only that order tells: the place of each command, the `seq` a
// reply or a read mark names (the n-th message of a thread has seq n − 1), and which results are needed later.
import { toIso } from '../kernel/clock.js';
import type { DraftCommand, DraftConversation, JsonObject, Script, SimulatedCommand } from './script.js';

export function sequence(script: Script, endMs: number): SimulatedCommand[] {
  const inTime = script.commands.filter(({ at }) => at < endMs);
  const drafts = inTime
    .concat(startsOf(inTime, script.conversations))
    .map((draft, order) => ({ draft, order }))
    .sort((a, b) => a.draft.at - b.draft.at || rank(a.draft) - rank(b.draft) || a.order - b.order)
    .map(({ draft }) => draft);
  const threads = new Threads();
  const placed = drafts.flatMap((draft) => threads.place(draft) ?? []);
  const needed = new Set(placed.flatMap((command) => placeholders(command)));
  return placed.map((command, n) => ({ n, ...keepOnly(command, needed) }));
}

/** At the same instant a conversation starts before its first message. */
function rank(draft: DraftCommand): number {
  return draft.path === '/v1/conversations' ? 0 : 1;
}

/** One start per conversation that has a message, two seconds before it, by whoever writes first. */
function startsOf(
  drafts: readonly DraftCommand[],
  conversations: ReadonlyMap<string, DraftConversation>,
): DraftCommand[] {
  const first = new Map<string, DraftCommand>();
  for (const draft of drafts) {
    for (const { conversation } of draft.sends ?? []) {
      const known = first.get(conversation);
      if (!known || draft.at < known.at) first.set(conversation, draft);
    }
  }
  return [...first].map(([id, draft]) => start(conversations.get(id) as DraftConversation, draft));
}

function start({ id, kind, members, brand, origin }: DraftConversation, first: DraftCommand): DraftCommand {
  const member = first.member as string;
  const other = members.find((candidate) => candidate !== member);
  const subject: JsonObject = kind === 'brand' ? { brandId: brand as string } : { memberId: other as string };
  const pair = kind === 'brand' ? [`brand:${brand}`] : (first.reads ?? []).filter((lane) => lane.startsWith('pair:'));
  return {
    at: first.at - 500,
    caller: 'app',
    member,
    method: 'POST',
    path: '/v1/conversations',
    body: { kind, ...subject, origin },
    ...(first.headers ? { headers: first.headers } : {}),
    writes: [`conversation:${id}`],
    reads: [...members.map((one) => `member:${one}`), ...pair],
  };
}

type Placed = Omit<SimulatedCommand, 'n'>;

class Threads {
  readonly #lengths = new Map<string, number>();
  readonly #places = new Map<string, { readonly conversation: string; readonly seq: number }>();

  /** Undefined for a read mark on a thread that is still empty. */
  place(draft: DraftCommand): Placed | undefined {
    const { at, sends = [], repliesTo, marksRead, body, writes = [], reads = [], ...rest } = draft;
    const fields: Record<string, unknown> = { ...body };
    if (repliesTo !== undefined) {
      const target = this.#places.get(repliesTo);
      if (target)
        fields.replyTo = { messageId: repliesTo.startsWith('card:') ? `{{${repliesTo}}}` : repliesTo, seq: target.seq };
    }
    if (marksRead !== undefined) {
      const length = this.#lengths.get(marksRead) ?? 0;
      if (length === 0) return undefined;
      fields.seq = length - 1;
    }
    for (const { conversation, key } of sends) {
      const seq = this.#lengths.get(conversation) ?? 0;
      this.#lengths.set(conversation, seq + 1);
      this.#places.set(key, { conversation, seq });
    }
    const made = { at: toIso(at), ...rest, ...(body ? { body: fields as JsonObject } : {}) };
    return {
      ...made,
      writes: [...new Set(writes)],
      reads: [...new Set(reads)].filter((lane) => !writes.includes(lane)),
    };
  }
}

const placeholder = /\{\{([^}]+)\}\}/g;

/** Names of earlier results that a command mentions. */
export function placeholders({ path, body }: Pick<SimulatedCommand, 'path' | 'body'>): string[] {
  const text = body === undefined ? path : path + JSON.stringify(body);
  return text.includes('{{') ? [...text.matchAll(placeholder)].map((match) => match[1] as string) : [];
}

function keepOnly(command: Placed, needed: ReadonlySet<string>): Placed {
  const { keep, ...rest } = command;
  const kept = Object.entries(keep ?? {}).filter(([name]) => needed.has(name));
  return kept.length === 0 ? rest : { ...rest, keep: Object.fromEntries(kept) };
}
