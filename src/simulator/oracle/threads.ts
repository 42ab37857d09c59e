// Every thread as it stands in the end: who wrote what to whom, which share a message carried, which share it answers.
import { brandConversationId as brandConversation, directConversationId } from '../../kernel/ids.js';
import { type Command, list, record, text, whole } from './delivered.js';

export interface Message {
  readonly at: number;
  readonly order: number;
  readonly conversation: string;
  readonly kind: 'direct' | 'brand';
  readonly brandId: string;
  readonly side: 'member' | 'brand';
  readonly sender: string;
  readonly bot: boolean;
  readonly recipients: readonly string[];
  /** The share it carries, if any. */
  readonly shareId: string;
  /** Answered share, if it talks back to one. */
  readonly answers: string;
}

/** Each conversation's messages, in their order. */
export function byConversation(messages: readonly Message[]): Map<string, Message[]> {
  const threads = new Map<string, Message[]>();
  for (const message of messages) {
    const thread = threads.get(message.conversation);
    if (thread) thread.push(message);
    else threads.set(message.conversation, [message]);
  }
  return threads;
}

interface Party {
  readonly kind: 'direct' | 'brand';
  readonly members: readonly string[];
  readonly brandId: string;
}

/** The share that a bare card makes is known by its message. */
export function bareShareId(messageId: string): string {
  return `of ${messageId}`;
}

export function readThreads(commands: readonly Command[]): Message[] {
  const parties = new Map<string, Party>();
  const threads = new Map<string, Message[]>();
  const all: Message[] = [];
  const put = (
    conversation: string,
    by: Omit<Message, 'conversation' | 'kind' | 'brandId' | 'recipients' | 'answers'>,
    replyTo?: number,
  ) => {
    const { kind, brandId, members } = parties.get(conversation) as Party;
    const thread = threads.get(conversation) ?? [];
    threads.set(conversation, thread);
    const others = members.filter((member) => member !== by.sender);
    const recipients = kind === 'direct' || by.side === 'brand' ? others : [];
    // Metric 19: a reply to the card's message, or, replying to nothing, the message right after it; by a recipient.
    const asked = replyTo === undefined ? thread.at(-1) : thread[replyTo];
    const answers = asked?.recipients.includes(by.sender) ? asked.shareId : '';
    const message = { ...by, conversation, kind, brandId, recipients, answers };
    thread.push(message);
    all.push(message);
  };
  for (const { at, order, route, member, agent, params, body } of commands) {
    if (route === 'POST /v1/conversations') {
      const party = started(member, body);
      parties.set(party.id, party);
    } else if (route === 'POST message') {
      const shareId = carriesShare(body) ? text(body.shareId) || bareShareId(text(body.messageId)) : '';
      put(params[0] as string, { at, order, side: 'member', sender: member, bot: false, shareId }, repliedSeq(body));
    } else if (route === 'POST brand message') {
      const [name, kind] = agent.split(';');
      const by = { at, order, side: 'brand', sender: name ?? '', bot: kind === 'bot', shareId: '' } as const;
      put(params[1] as string, by, repliedSeq(body));
    } else if (route === 'POST complete') {
      const into = Array.isArray(body.conversationIds) ? (body.conversationIds as string[]) : [];
      const by = { at, order, side: 'member', sender: member, bot: false, shareId: params[0] as string } as const;
      for (const conversation of into) put(conversation, by);
    }
  }
  return all;
}

function started(member: string, body: Command['body']): Party & { id: string } {
  if (body.kind === 'direct') {
    const other = text(body.memberId);
    return { id: directConversationId(member, other), kind: 'direct', members: [member, other], brandId: '' };
  }
  const brandId = text(body.brandId);
  return { id: brandConversation(member, brandId), kind: 'brand', members: [member], brandId };
}

function repliedSeq(body: Command['body']): number | undefined {
  return body.replyTo === undefined ? undefined : whole(record(body.replyTo).seq);
}

/** A clip or a product that a member puts straight into a message is a share, without a share sheet: one per message. */
function carriesShare(body: Command['body']): boolean {
  return list(body.attachments).some(({ kind }) => kind === 'share_card' || kind === 'product_card');
}
