// GET /v1/shares/:id: what became of an own share. To anybody but the sharer it is not there.
import { Controller, Get, Param } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import {
  type Answers,
  type Below,
  type LinkDocument,
  type ShareDocument,
  shareKeys,
} from '../../projections/shares.document.js';
import { ByMember } from '../http/access/scopes.js';
import { Problem } from '../http/problem/problem.js';
import { By, type Caller } from '../http/request/caller.js';
import type { PositionToken } from '../kernel/position-token.js';
import { type Freshness, MinPosition, parsed, ReadSide, TakesPosition } from './read-side.js';

interface Chain {
  readonly descendants: number;
  readonly depthMax: number;
}

export interface ShareDetail extends Freshness {
  readonly share: ShareDocument;
  readonly link?: Omit<LinkDocument, 'revision'>;
  /** Completed shares that were passed on directly from this one. */
  readonly children: number;
  /** Of a root: completed shares anywhere below it, and the depth of the deepest. */
  readonly chain?: Chain;
  /** The same without parents that no app named and the service inferred. */
  readonly explicit: { readonly children: number; readonly chain?: Chain };
  /** Messages that answered it, and in how many conversations. */
  readonly talkBack: { readonly messages: number; readonly conversations: number };
}

export class ShareDetailOf extends Query<ShareDetail> {
  constructor(
    readonly viewerId: string,
    readonly shareId: string,
    readonly min: PositionToken | undefined,
  ) {
    super();
  }
}

@QueryHandler(ShareDetailOf)
export class ShareDetailHandler implements IQueryHandler<ShareDetailOf> {
  constructor(private readonly reads: ReadSide) {}

  async execute({ viewerId, shareId, min }: ShareDetailOf): Promise<ShareDetail> {
    const answer = await this.reads.begin(['shares'], min);
    const [stored, storedLink, storedChildren, storedBelow, answers] = await answer.read(
      'shares',
      viewerId,
      (pipeline, key) => {
        pipeline.get(key(shareKeys.share(shareId)));
        pipeline.get(key(shareKeys.link(shareId)));
        pipeline.hvals(key(shareKeys.children(shareId)));
        pipeline.hvals(key(shareKeys.descendants(shareId)));
        pipeline.hvals(key(shareKeys.answers(shareId)));
      },
    );
    const share = parsed<ShareDocument>(stored);
    if (share?.sharerId !== viewerId) throw new Problem('share-not-found', 'no such share');
    const link = parsed<LinkDocument>(storedLink);
    const children = (storedChildren as string[]).map((text) => JSON.parse(text) as Below);
    const below = (storedBelow as string[]).map((text) => JSON.parse(text) as Below);
    const talk = (answers as string[]).map((text) => (JSON.parse(text) as Answers).count);
    return {
      share,
      ...(link ? { link: withoutRevision(link) } : {}),
      ...figuresOf(share, children, below),
      explicit: figuresOf(share, children.filter(isExplicit), below.filter(isExplicit)),
      talkBack: { messages: talk.reduce((sum, count) => sum + count, 0), conversations: talk.length },
      ...answer.freshness,
    };
  }
}

const isExplicit = ({ explicit }: Below): boolean => explicit;

function figuresOf(
  { depth }: ShareDocument,
  children: readonly Below[],
  below: readonly Below[],
): Pick<ShareDetail, 'children' | 'chain'> {
  const chain = { descendants: below.length, depthMax: Math.max(0, ...below.map((share) => share.depth)) };
  return { children: children.length, ...(depth === 0 ? { chain } : {}) };
}

function withoutRevision({ revision: _revision, ...link }: LinkDocument): Omit<LinkDocument, 'revision'> {
  return link;
}

@ApiTags('shares')
@Controller('v1/shares')
export class ShareController {
  constructor(private readonly queries: QueryBus) {}

  @Get(':shareId')
  @ByMember()
  @TakesPosition()
  share(
    @By() caller: Caller,
    @Param('shareId') shareId: string,
    @MinPosition() min: PositionToken | undefined,
  ): Promise<ShareDetail> {
    return this.queries.execute(new ShareDetailOf(caller.memberId ?? '', shareId, min));
  }
}
