// What somebody without the app sees behind a link: the same page for everybody, with nothing of the sharer, the content
// or the opener in it, no script, and nothing fetched from anywhere.

const style =
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1.5rem;color-scheme:light dark}';

function page(title: string, text: string): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">',
    `<title>${title}</title><style>${style}</style></head>`,
    `<body><main><h1>${title}</h1><p>${text}</p></main></body></html>`,
  ].join('\n');
}

export const sharedPage = page('Something was shared with you', 'Open the app to see it.');
/** For links that never were, were revoked or have expired: they look alike. */
export const gonePage = page('There is nothing here', 'This link does not lead anywhere, or not any more.');
