// What a visitor of a link is called instead of by address and device: a hash under a salt that is destroyed some day, so
// that nobody can test an address later. The salts are held for a while, and offered again when they are looked up: a store
// that lost one has it back from whoever still knows it.
import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { isSaltOver, namingDay } from '../../domain/sharelink/visitor-salt.js';
import { type Clock, minuteMs, secondMs, toMs } from '../../kernel/clock.js';
import { keyedHash } from '../../kernel/ids.js';
import { CLOCK } from '../clock/clock.controller.js';
import { COMMAND_SECRETS, type CommandSecrets } from '../command-context.js';

const saltBytes = 32;
const askAgainMs = minuteMs;
const askAgainInVainMs = secondMs;

/** Where the salts are kept: in reach of every process, over restarts, and able to forget. */
export interface SaltShelf {
  /** The day's salt: what is offered, unless there is one. Undefined: it cannot be told now. */
  agree(day: string, offered: Buffer): Promise<Buffer | undefined>;
}
export const SALT_SHELF = Symbol('SALT_SHELF');

interface Held {
  readonly salt: Buffer;
  /** By the process's own time. */
  readonly askAgainAtMs: number;
}

@Injectable()
export class VisitorNames {
  private readonly held = new Map<string, Held>();
  private readonly asking = new Map<string, Promise<Held>>();

  constructor(
    @Inject(SALT_SHELF) private readonly shelf: SaltShelf,
    @Inject(COMMAND_SECRETS) private readonly secrets: CommandSecrets,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Under a salt of this link alone, so that the same device has another name at every link. */
  async keyOf(
    { linkId, mintedAt }: { readonly linkId: string; readonly mintedAt: string },
    { clientAddress, userAgent }: { readonly clientAddress: string; readonly userAgent?: string | undefined },
  ): Promise<string> {
    const salt = await this.saltOf(namingDay(toMs(mintedAt), this.clock.now()));
    // With the master key in it, a salt that is stolen while it lives says nothing.
    const saltOfLink = keyedHash(this.secrets.visitor, salt.toString('base64url'), linkId);
    return keyedHash(saltOfLink, clientAddress, userAgent ?? '');
  }

  private async saltOf(day: string): Promise<Buffer> {
    for (const known of this.held.keys()) if (isSaltOver(known, this.clock.now())) this.held.delete(known);
    const held = this.held.get(day);
    if (held && performance.now() < held.askAgainAtMs) return held.salt;
    const asked = this.ask(day);
    // Whoever is known already need not wait.
    return (held ?? (await asked)).salt;
  }

  private ask(day: string): Promise<Held> {
    const running = this.asking.get(day);
    if (running) return running;
    const started = this.agreed(day).finally(() => this.asking.delete(day));
    this.asking.set(day, started);
    return started;
  }

  /** Where nobody answers, a visitor is named all the same; the next answer says whether that name stays. */
  private async agreed(day: string): Promise<Held> {
    const offered = this.held.get(day)?.salt ?? randomBytes(saltBytes);
    const agreed = await this.shelf.agree(day, offered);
    const pauseMs = agreed ? askAgainMs : askAgainInVainMs;
    const held = { salt: agreed ?? offered, askAgainAtMs: performance.now() + pauseMs };
    // Destroyed while it was asked for: it is not held either.
    if (!isSaltOver(day, this.clock.now())) this.held.set(day, held);
    return held;
  }
}
