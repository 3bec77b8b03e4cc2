-- Is the first request of a connection one that can be read in one way only (RFC 9112, without its leniencies)? HAProxy's HTTP layer sees it only if it
-- is: it would mend some of the rest in silence (a Content-Length beside Transfer-Encoding, folded lines, bare line feeds), and answer what it can't mend with
-- a text/html that no setting changes. What isn't gets a problem from here, with a request id, and the connection ends.
--
-- The gateway's limits and rules (services/gateway/http.c) are the same; a head that passes here is looked at again there.

local LINE_MAX, SECTION_MAX = 8192, 16384 -- bytes: of the request line, and of the fields
local EMPTY_LINES_BYTES_MAX = 8 -- before the request line
local TOKEN = "[%w!#$%%&'*+%-.^_`|~]+"
local REQUEST_LINE = "^(" .. TOKEN .. ") ([!-\"$-~]+) HTTP/(%d%.%d)$"
local FIELD = "^(" .. TOKEN .. "):[\t ]*([\t -~\128-\255]*)$"
local CHUNK_LINE, CHUNK_LINE_BEGUN = "^(%x+)%f[;\0][\t -~\128-\255]*$", "^(%x*)%f[;\r\0][\t -~\128-\255]*\r?$"
local CHUNK_DIGITS_MAX = 13 -- what HAProxy takes; far above the 16 MiB that the gateway takes
local REQUEST_ID = "^[%w._:-]+$"
local REQUEST_ID_MAX = 128
local HOST = "^[%w!$%%&'()*+,%-.:;=_~%[%]]*$"

local titles = {
    ["400"] = "Bad Request",
    ["408"] = "Request Timeout",
    ["414"] = "URI Too Long",
    ["429"] = "Too Many Requests",
    ["431"] = "Request Header Fields Too Large",
    ["505"] = "HTTP Version Not Supported",
}

-- The values of the fields that are looked at here, by lower-case name; nil and the fault if a line is no field.
local function read_fields(lines)
    local found = { ["content-length"] = {}, ["transfer-encoding"] = {}, host = {}, upgrade = {}, ["sec-websocket-key"] = {} }
    for line in lines:gmatch("(.-)\r\n") do
        local name, value = line:match(FIELD)
        if name == nil then
            return nil, "400 A header field is malformed."
        end
        local values = found[name:lower()]
        if values ~= nil then
            values[#values + 1] = value:match("^(.-)[\t ]*$")
        end
    end
    return found
end

local function framing_fault(lengths, encodings, version)
    if #encodings > 0 and (#encodings > 1 or #lengths > 0 or version == "1.0" or encodings[1]:lower() ~= "chunked") then
        return "400 Transfer-Encoding must be chunked, alone, once, in HTTP/1.1."
    end
    if #lengths > 1 or (#lengths == 1 and not (lengths[1]:find("^%d+$") and #lengths[1] < 19)) then
        return "400 Content-Length must be one number."
    end
end

-- As much of a chunked body as came with the head (RFC 9112 7.1). The gateway looks at the rest, which HAProxy's reading makes plain.
local function chunks_fault(body)
    local at, size = 1, nil
    while size ~= 0 do
        local line_end = body:find("\r\n", at, true)
        local digits = body:sub(at, (line_end or #body + 1) - 1):match(line_end and CHUNK_LINE or CHUNK_LINE_BEGUN)
        if digits == nil or #digits > CHUNK_DIGITS_MAX then
            return "400 A chunk's size is malformed."
        end
        if (line_end or #body) - at > SECTION_MAX then
            return "400 There are more than 16 KiB of chunk extensions."
        end
        if line_end == nil then
            return nil
        end
        size = tonumber(digits, 16)
        at = line_end + 2 + size
        if size > 0 and at <= #body then
            if body:sub(at, at + 1) ~= (at == #body and "\r" or "\r\n") then
                return "400 A chunk is not as long as its size says."
            end
            at = at + 2
        end
        if at > #body then
            return nil
        end
    end
    local trailers = body:sub(at)
    local trailers_end = trailers:sub(1, 2) == "\r\n" and 1 or trailers:find("\r\n\r\n", 1, true)
    if trailers_end and trailers_end > 1 and not read_fields(trailers:sub(1, trailers_end + 1)) then
        return "400 The trailer section is malformed."
    end
end

-- RFC 9112 3.2: a path, what Host says in absolute form, an authority for CONNECT, * for OPTIONS.
local function target_fault(method, target, host)
    local authority = target:match("^%a[%w+.-]*://([^/?]+)") or (method == "CONNECT" and target)
    if authority then
        if host ~= nil and authority:lower() ~= host:lower() then
            return "400 The request target and Host name different authorities."
        end
    elseif method == "CONNECT" or not (target:sub(1, 1) == "/" or (target == "*" and method == "OPTIONS")) then
        return "400 The request target is malformed."
    end
end

-- Method, target and version of a request line; nil and the fault if it is none.
local function read_request_line(line)
    local method, target, version = line:match(REQUEST_LINE)
    if method == nil then
        return nil, "400 The request line is malformed."
    end
    if version ~= "1.1" and version ~= "1.0" then
        return nil, "505 Only HTTP/1.1 and HTTP/1.0 are spoken here."
    end
    return method, target, version
end

-- `head` ends with the line end of its last field; what follows it is `body`. nil: it is fine.
local function request_fault(head, body)
    local line_end = head:find("\r\n", 1, true)
    local method, target, version = read_request_line(head:sub(1, line_end - 1))
    if method == nil then
        return target
    end
    local fields, fault = read_fields(head:sub(line_end + 2))
    if fields == nil then
        return fault
    end
    local hosts = fields.host
    if #hosts > 1 or (#hosts == 0 and version == "1.1") or (#hosts == 1 and not hosts[1]:find(HOST)) then
        return "400 There must be one Host field, of characters that a host may have."
    end
    -- RFC 6455 4.2.1. Upgrades aren't taken, but HAProxy holds them to this.
    if #fields["sec-websocket-key"] == 0 and table.concat(fields.upgrade, ","):lower():find("websocket", 1, true) then
        return "400 An upgrade to WebSocket needs Sec-WebSocket-Key."
    end
    return framing_fault(fields["content-length"], fields["transfer-encoding"], version) or target_fault(method, target, hosts[1])
        or (#fields["transfer-encoding"] > 0 and chunks_fault(body) or nil)
end

-- The head isn't complete: what is wrong with it however it goes on. nil: perhaps nothing.
local function prefix_fault(bytes)
    local line_end = bytes:find("\r\n", 1, true)
    if bytes:find("^[^%w!#$%%&'*+%-.^_`|~\r]") or bytes:find("[\0-\8\11\12\14-\31\127]") then
        return "400 This is no HTTP."
    end
    if bytes:find("^\n") or bytes:find("[^\r]\n") or bytes:find("\r[^\n]") then
        return "400 Lines end with CR LF, and neither may stand alone."
    end
    if (line_end or #bytes) > LINE_MAX + 1 then
        return "414 The request line is longer than 8 KiB."
    end
    if line_end and #bytes - line_end > SECTION_MAX + 1 then
        return "431 The header section is longer than 16 KiB."
    end
    local method, fault = read_request_line(line_end and bytes:sub(1, line_end - 1) or "GET / HTTP/1.1")
    return method == nil and fault or nil
end

local function without_empty_lines(bytes)
    local at = 1
    while at < EMPTY_LINES_BYTES_MAX and bytes:sub(at, at + 1) == "\r\n" do
        at = at + 2
    end
    return bytes:sub(at)
end

-- "http": HAProxy may read on. "": more bytes are needed. Else the status and detail of the refusal.
core.register_fetches("first_request", function(txn)
    local bytes = without_empty_lines(txn.f:req_payload(0, 0) or "")
    local head_end = bytes:find("\r\n\r\n", 1, true)
    if head_end then
        return request_fault(bytes:sub(1, head_end + 1), bytes:sub(head_end + 4)) or "http"
    end
    return prefix_fault(bytes) or ""
end)

-- The caller's request id, if what was read has one that is good; else a new one.
core.register_fetches("first_request_id", function(txn)
    local bytes = txn.f:req_payload(0, 0) or ""
    local head = bytes:sub(1, (bytes:find("\r\n\r\n", 1, true) or #bytes) + 1)
    local id = head:match("\n[Xx]%-[Rr][Ee][Qq][Uu][Ee][Ss][Tt]%-[Ii][Dd]:[\t ]*([^\r\n]-)[\t ]*\r\n")
    return id and #id <= REQUEST_ID_MAX and id:match(REQUEST_ID) or txn.f:uuid(7)
end)

core.register_service("refuse", "tcp", function(applet)
    local status, detail = applet:get_var("sess.first_request"):match("^(%d+) (.*)$")
    local request_id = applet:get_var("txn.request_id")
    local body = string.format('{"type":"about:blank","title":"%s","status":%s,"detail":"%s","instance":"%s"}', titles[status], status, detail, request_id)
    applet:send(table.concat({
        "HTTP/1.1 " .. status .. " " .. titles[status],
        "Date: " .. os.date("!%a, %d %b %Y %H:%M:%S GMT"),
        "X-Request-ID: " .. request_id,
        string.format("X-Process-Time: %.6f", applet.f:fc_timer_total() / 1000),
        "Content-Type: application/problem+json",
        "Content-Length: " .. #body,
        "Cache-Control: no-store",
        "Connection: close" .. (status == "429" and "\r\nRetry-After: 1" or ""),
        "",
        body,
    }, "\r\n"))
end)
