// The texts to pass pictures on with, made from media items. Pure.

const html = (text) =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c])
const markdown = (text) => text.replace(/[\\[\]]/g, '\\$&').replace(/\s+/g, ' ')

export const name = (media) => media.title || media.filename || 'Picture'

const KINDS = {
  view: ({ urls }) => urls.view,
  direct: ({ urls }) => urls.original,
  markdown: (media) => `[![${markdown(name(media))}](${media.urls.medium})](${media.urls.view})`,
  html: (media) =>
    `<a href="${html(media.urls.view)}"><img src="${html(media.urls.medium)}" alt="${html(name(media))}"></a>`,
  bbcode: ({ urls }) => `[url=${urls.view}][img]${urls.medium}[/img][/url]`,
  delete: (media) => media.delete_url ?? '',
}

/** One line per item in the wanted kind; items that have none of it are left out. */
export function codes(items, kind) {
  return items.map(KINDS[kind] ?? KINDS.view).filter(Boolean).join('\n')
}
