// Opening a link: in a browser by anybody, or in an app that knows who does it.
import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { isPrefetch, readReferrer, readUserAgent, type UserAgentFacts } from '../../domain/sharelink/user-agent.js';
import { ContentRef, Id } from '../../domain/vocabulary.js';
import { ByMember, Open } from '../../http/access/scopes.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { Rejection } from '../../kernel/rejection.js';
import { gonePage, sharedPage } from './landing-page.js';
import { LinkRequest } from './link.handler.js';
import { linkCodePattern } from './link-names.js';
import { LinkOpen } from './share.bodies.js';

/** An app that does not say what it runs on is still no crawler. */
const appAgent: UserAgentFacts = { isPreviewBot: false, uaFamily: 'App', osFamily: 'Other' };

@ApiTags('shares')
@Controller()
export class LinkController {
  constructor(private readonly commands: CommandBus) {}

  /** The same small page for everybody; only the log knows more. A HEAD looks without a person looking. */
  @Get('s/:code')
  @Open()
  @ApiExcludeEndpoint()
  async visit(
    @By() caller: Caller,
    @Param('code') code: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    reply.headers({ 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-robots-tag': 'noindex' });
    reply.type('text/html; charset=utf-8');
    const found = linkCodePattern.test(code) && (await this.record(caller, code, request));
    await reply.code(found ? 200 : 404).send(found ? sharedPage : gonePage);
  }

  /** For an app that handles links itself. */
  @Post('v1/link-opens')
  @ByMember()
  @HttpCode(200)
  @Writes(200, { openId: Id, shareId: Id, contentRef: ContentRef })
  open(
    @By() caller: Caller,
    @Req() { hostname }: FastifyRequest,
    @Body({ schema: LinkOpen }) { code, userAgent, referrer, prefetch }: z.infer<typeof LinkOpen>,
  ): Promise<Written> {
    const agent = userAgent === undefined ? appAgent : readUserAgent(userAgent);
    const referrerClass = readReferrer(referrer, [hostname]);
    const device = userAgent === undefined ? caller : { ...caller, userAgent };
    return this.commands.execute(
      new LinkRequest(device, { type: 'open', code, agent, isPrefetch: prefetch, referrerClass }),
    );
  }

  /** False when there is no such link. */
  private async record(caller: Caller, code: string, { headers, method, hostname }: FastifyRequest): Promise<boolean> {
    const single = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : value?.[0]]),
    );
    const wish = {
      type: 'open',
      code,
      agent: readUserAgent(single['user-agent']),
      isPrefetch: method === 'HEAD' || isPrefetch(single),
      referrerClass: readReferrer(single['referer'], [hostname]),
    } as const;
    try {
      await this.commands.execute(new LinkRequest(caller, wish));
      return true;
    } catch (error) {
      if (error instanceof Rejection && error.code === 'link-not-found') return false;
      throw error;
    }
  }
}
