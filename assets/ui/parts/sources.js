// Where pictures come from: a drop, a folder, the clipboard, a typed address.

const ENDINGS = /\.(jpe?g|png|gif|webp|bmp|tiff?|ico|avif|hei[cf]|jxl|svg|mp4|m4v|mov|3gp|webm|mkv|mp3|m4a|ogg|oga|opus|flac|wav)$/i

/** A picture, a film or a recording by what the browser says of it; the server looks at the content itself. */
export function looksLikeMedia(file) {
  return /^(image|video|audio)\//.test(file.type) || (!file.type && ENDINGS.test(file.name))
}

/** The address in a text, or null where the text is anything but one address. */
export function addressIn(text) {
  const trimmed = text.trim()
  if (/\s/.test(trimmed) || !/^https?:\/\//i.test(trimmed)) return null
  try {
    return new URL(trimmed).href
  } catch {
    return null
  }
}

/** Every address in a text, one per line or parted by spaces. */
export function addressesIn(text) {
  return text.split(/\s+/).map(addressIn).filter(Boolean)
}

/**
 * Everything in a drop or a paste: files, the files of folders, or else an address.
 * The handles must be taken before the first await: the browser empties the list after the event.
 */
export async function gather(transfer) {
  const items = [...(transfer?.items ?? [])].filter((item) => item.kind === 'file')
  const handles = items.map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }))
  const loose = items.length ? [] : [...(transfer?.files ?? [])]
  const text = transfer?.getData('text/uri-list') || transfer?.getData('text/plain') || ''

  const files = [...loose]
  const inFolders = []
  for (const { entry, file } of handles) {
    if (entry?.isDirectory) inFolders.push(...(await walk(entry)))
    else if (file) files.push(file)
  }
  const pictures = inFolders.filter(looksLikeMedia)
  return {
    files: [...files, ...pictures],
    skipped: inFolders.length - pictures.length,
    urls: files.length || inFolders.length ? [] : addressesIn(withoutComments(text)),
  }
}

const withoutComments = (list) => list.replace(/^#.*$/gm, '')

/** The files below a folder, depth first, hidden ones left out. */
export async function walk(folder) {
  const found = []
  const reader = folder.createReader()
  // A reader hands out its entries in portions and ends with an empty one.
  for (let portion = await read(reader); portion.length; portion = await read(reader)) {
    for (const entry of portion) {
      if (entry.name.startsWith('.')) continue
      if (entry.isDirectory) found.push(...(await walk(entry)))
      else found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)))
    }
  }
  return found
}

const read = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject))
