// One place that puts messages into threads, so that what the service would refuse is never tried: people talk while
// they are friends and both take messages; a brand talks to those who wrote to it.
import { brandConversationId, directConversationId, pairId } from '../../kernel/ids.js';
import type { Random } from '../random.js';
import type { JsonObject } from '../script.js';
import type { Brand } from '../world/catalogue.js';
import type { Person } from '../world/people.js';
import { deviceHeaders, type Setting } from '../world/setting.js';

export interface Words {
  readonly body?: string;
  readonly attachments?: readonly JsonObject[];
  /** Key of the message it replies to. */
  readonly repliesTo?: string;
  readonly reads?: readonly string[];
}

export class Messaging {
  readonly #setting: Setting;
  readonly #draw: Random;
  constructor(setting: Setting) {
    this.#setting = setting;
    this.#draw = setting.random.stream('messaging');
  }

  canTalk(from: Person, to: Person, at: number): boolean {
    const { graph, rhythm } = this.#setting;
    return from.chats && to.chats && at < rhythm.endMs && graph.areFriends(from, to, at);
  }
  /** Friends one may write to, closest first. */
  partners(person: Person, at: number): Person[] {
    if (!person.chats) return [];
    return this.#setting.graph.friendsOf(person).filter((friend) => this.canTalk(person, friend, at));
  }

  /** The direct conversation of two people; it is started just before its first message. */
  direct(a: Person, b: Person, origin = 'profile'): string {
    const members = [a.id, b.id];
    return this.#setting.script.conversation({ id: directConversationId(a.id, b.id), kind: 'direct', members, origin });
  }
  withBrand(customer: Person, brand: Brand, origin = 'product_page'): string {
    const id = brandConversationId(customer.id, brand.brandId);
    const { script } = this.#setting;
    return script.conversation({ id, kind: 'brand', members: [customer.id], brand: brand.brandId, origin });
  }

  /** The id of the message, or undefined when these two cannot talk then. */
  say(at: number, from: Person, to: Person, words: Words): string | undefined {
    if (!this.canTalk(from, to, at)) return undefined;
    const id = this.direct(from, to);
    const reads = [`member:${from.id}`, `member:${to.id}`, `pair:${pairId(from.id, to.id)}`, ...(words.reads ?? [])];
    return this.#send(at, id, words, { caller: 'app', member: from.id, headers: deviceHeaders(from) }, reads);
  }
  askBrand(at: number, customer: Person, brand: Brand, words: Words): string | undefined {
    if (at >= this.#setting.rhythm.endMs) return undefined;
    const reads = [`member:${customer.id}`, `brand:${brand.brandId}`, ...(words.reads ?? [])];
    const as = { caller: 'app', member: customer.id, headers: deviceHeaders(customer) } as const;
    return this.#send(at, this.withBrand(customer, brand), words, as, reads);
  }
  answerAsBrand(at: number, brand: Brand, customer: Person, words: Words & { bot: boolean }): string | undefined {
    if (at >= this.#setting.rhythm.endMs) return undefined;
    const agent = words.bot ? `${brand.brandId}.bot;bot` : `${brand.brandId}.agent-${1 + (customer.index % 3)};human`;
    const as = { caller: 'brand', brand: brand.brandId, agent } as const;
    return this.#send(at, this.withBrand(customer, brand), words, as, words.reads ?? []);
  }

  /** Marks everything in the thread as read by that person. */
  read(at: number, reader: Person, conversation: string): void {
    if (at >= this.#setting.rhythm.endMs) return;
    const visibility = reader.settings?.readReceipts === false ? 'private' : 'public';
    this.#setting.script.command({
      at: Math.floor(at),
      caller: 'app',
      member: reader.id,
      method: 'POST',
      path: `/v1/conversations/${conversation}/read`,
      body: { visibility },
      writes: [`readmark:${conversation}:${reader.id}`],
      reads: [`member:${reader.id}`, `conversation:${conversation}`],
      marksRead: conversation,
    });
  }
  readAsBrand(at: number, brand: Brand, conversation: string): void {
    this.#setting.script.command({
      at: Math.floor(at),
      caller: 'brand',
      brand: brand.brandId,
      agent: `${brand.brandId}.agent-1;human`,
      method: 'POST',
      path: `/v1/brands/${brand.brandId}/conversations/${conversation}/read`,
      body: {},
      writes: [`readmark:${conversation}:${brand.brandId}`],
      reads: [`conversation:${conversation}`],
      marksRead: conversation,
    });
  }

  #send(
    at: number,
    conversation: string,
    { body, attachments, repliesTo }: Words,
    as: {
      caller: 'app' | 'brand';
      member?: string;
      brand?: string;
      agent?: string;
      headers?: Readonly<Record<string, string>>;
    },
    reads: readonly string[],
  ): string {
    const messageId = this.#draw.uuidAt(at);
    const under = as.caller === 'brand' ? `/v1/brands/${as.brand}` : '/v1';
    this.#setting.script.command({
      at: Math.floor(at),
      ...as,
      method: 'POST',
      path: `${under}/conversations/${conversation}/messages`,
      body: { messageId, ...(body ? { body } : {}), ...(attachments ? { attachments } : {}) },
      writes: [`conversation:${conversation}`],
      reads,
      sends: [{ conversation, key: messageId }],
      ...(repliesTo ? { repliesTo } : {}),
    });
    this.#setting.script.count(as.caller === 'brand' ? 'brandMessages' : 'messages');
    return messageId;
  }
}
