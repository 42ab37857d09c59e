// The operator's API of a running service, seen from outside.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { PlacedLetter, RetryOutcome } from '../../projector/operation/dead-letters.js';
import type { ProjectionRow } from '../../projector/operation/operations.js';
import type { Begun } from './operations.controller.js';
import type { Operations, VerifyAnswer } from './operations.js';

export class HttpOperations implements Operations {
  private readonly base: string;

  /** @param key with scope admin */
  constructor(
    url: string,
    private readonly key: string,
  ) {
    this.base = `${url.replace(/\/+$/, '')}/v1`;
  }

  async parts(): Promise<readonly string[]> {
    return (await this.call<{ parts: string[] }>('GET', '/projections')).parts;
  }
  async status(): Promise<readonly ProjectionRow[]> {
    return (await this.call<{ items: ProjectionRow[] }>('GET', '/projections')).items;
  }
  async rebuild(part: string): Promise<readonly number[]> {
    return (await this.call<Begun>('POST', `/projections/${encodeURIComponent(part)}/rebuild`)).builds;
  }
  async abort(part: string): Promise<void> {
    await this.call('POST', `/projections/${encodeURIComponent(part)}/abort`);
  }
  async rollback(part: string): Promise<readonly number[]> {
    return (await this.call<Begun>('POST', `/projections/${encodeURIComponent(part)}/rollback`)).builds;
  }
  async verify(part: string): Promise<readonly VerifyAnswer[]> {
    return (await this.call<{ items: VerifyAnswer[] }>('POST', `/projections/${encodeURIComponent(part)}/verify`))
      .items;
  }
  async deadLetters(projection?: string): Promise<readonly PlacedLetter[]> {
    const query = projection === undefined ? '' : `?projection=${encodeURIComponent(projection)}`;
    return (await this.call<{ items: PlacedLetter[] }>('GET', `/dead-letters${query}`)).items;
  }
  async deadLetter(projection: string, position: string): ReturnType<Operations['deadLetter']> {
    return await this.call('GET', `/dead-letters/${encodeURIComponent(projection)}/${encodeURIComponent(position)}`);
  }
  async retry(projection: string, position?: string): Promise<RetryOutcome> {
    const one = position === undefined ? '' : `/${encodeURIComponent(position)}`;
    return await this.call('POST', `/dead-letters/${encodeURIComponent(projection)}${one}/retry`);
  }
  async drop(projection: string, position: string, reason: string): Promise<RetryOutcome> {
    const path = `/dead-letters/${encodeURIComponent(projection)}/${encodeURIComponent(position)}/drop`;
    return await this.call('POST', path, { reason });
  }

  private async call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await this.send(method, path, body);
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    const answer = text === '' ? undefined : (JSON.parse(text) as { code?: string; detail?: string });
    const { statusCode = 0 } = response;
    if (statusCode >= 300)
      throw new Error(`${statusCode} ${answer?.code ?? ''}: ${answer?.detail ?? 'no reason given'}`);
    return answer as Answer;
  }

  /** Not `fetch`: that gives up when an answer takes more than five minutes, and comparing may. */
  private send(method: string, path: string, body: object | undefined): Promise<IncomingMessage> {
    const url = new URL(this.base + path);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.key}`,
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      send(url, { method, headers }, resolve).on('error', reject).end(text);
    });
  }
}
