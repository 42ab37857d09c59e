// Opening a link: in a browser by anybody, or in an app that knows who does it.
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
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
import { appAddress, gonePage, sharedPage } from './landing-page.js';
import { LINK_OPTIONS, type LinkOptions, LinkRequest, type LinkWish } from './link.handler.js';
import { linkCodePattern } from './link-names.js';
import { LinkOpen } from './share.bodies.js';

/** An app that does not say what it runs on is still no crawler. */
const appAgent: UserAgentFacts = { isPreviewBot: false, uaFamily: 'App', osFamily: 'Other' };

type Visit = Pick<Extract<LinkWish, { type: 'open' }>, 'agent' | 'isPrefetch' | 'referrerClass'>;
interface Opened {
  readonly openId: string;
  readonly contentRef: z.infer<typeof ContentRef>;
}

@ApiTags('shares')
@Controller()
export class LinkController {
  constructor(
    private readonly commands: CommandBus,
    @Inject(LINK_OPTIONS) private readonly options: LinkOptions,
  ) {}

  /** A person goes on to the app, the rest get the same small page; only the log knows more. A HEAD looks without a person. */
  @Get('s/:code')
  @Open()
  @ApiExcludeEndpoint()
  async visit(
    @By() caller: Caller,
    @Param('code') code: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Written | string> {
    reply.headers({ 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-robots-tag': 'noindex' });
    reply.type('text/html; charset=utf-8');
    const visit = visitOf(request);
    const { appUrl } = this.options;
    const opensApp = appUrl !== undefined && !visit.agent.isPreviewBot && !visit.isPrefetch;
    const opened = linkCodePattern.test(code) ? await this.record(caller, code, { ...visit, opensApp }) : undefined;
    if (!opened) {
      reply.code(404);
      return gonePage;
    }
    if (!opensApp) return { ...opened, page: sharedPage };
    const { openId, contentRef } = opened.result as Opened;
    reply.header('location', appAddress(appUrl, { openId, contentId: contentRef.contentId }));
    return { ...opened, status: 302, page: '' };
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
      new LinkRequest(device, { type: 'open', code, agent, isPrefetch: prefetch, referrerClass, opensApp: true }),
    );
  }

  /** Undefined when there is no such link. */
  private async record(
    caller: Caller,
    code: string,
    visit: Visit & { readonly opensApp: boolean },
  ): Promise<Written | undefined> {
    try {
      return await this.commands.execute(new LinkRequest(caller, { type: 'open', code, ...visit }));
    } catch (error) {
      if (error instanceof Rejection && error.code === 'link-not-found') return undefined;
      throw error;
    }
  }
}

/** What a browser, or what poses as one, tells of itself. */
function visitOf({ headers, method, hostname }: FastifyRequest): Visit {
  const single = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : value?.[0]]),
  );
  return {
    agent: readUserAgent(single['user-agent']),
    isPrefetch: method === 'HEAD' || isPrefetch(single),
    referrerClass: readReferrer(single['referer'], [hostname]),
  };
}
