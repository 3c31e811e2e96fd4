/** What boards say of their connection, in the page's language (templates/admin/board/connection.html). */
export const texts = JSON.parse(document.getElementById("board-texts").textContent);
