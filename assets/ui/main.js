// Gives behaviour to elements that ask for it with data-part. It knows no part by name.
import { report } from './dom.js'

for (const element of document.querySelectorAll('[data-part]')) {
  import(`./parts/${element.dataset.part}.js`).then((part) => part.mount(element)).catch(report)
}
