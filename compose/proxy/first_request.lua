-- Is the first request of a connection one that can be read in one way only (RFC 9112, without its leniencies)? HAProxy's HTTP layer sees it only if it
-- is: it would mend some of the rest in silence (a Content-Length beside Transfer-Encoding, folded lines, bare line feeds), and answer what it can't mend with
-- a text/html that no setting changes. What isn't gets a problem from here, with a request id, and the connection ends.
--
-- The gateway's limits and rules (services/gateway/http.c) are the same; a head that passes here is looked at again there. What HAProxy refuses beyond
-- them is refused here too, as a comment says where it stands.

local LINE_MAX, SECTION_MAX = 8192, 16384 -- bytes: of the request line; of the fields and the empty line
local FIELDS_MAX = 100
local FIELD_NAME_MAX = 255 -- bytes; HAProxy's own, the gateway has none
local PORT_MAX = 65535
local EMPTY_LINES_BYTES_MAX = 8 -- before the request line
local TOKEN = "[%w!#$%%&'*+%-.^_`|~]+"
local REQUEST_LINE = "^(" .. TOKEN .. ") ([!-\"$-~]+) HTTP/(%d%.%d)$"
local FIELD = "^(" .. TOKEN .. "):[\t ]*([\t -~\128-\255]*)$"
local WITHOUT_BODY = { GET = true, HEAD = true, DELETE = true } -- in HTTP/1.0: not every reader would look for one
local FIELD_BEGUN = "^" .. TOKEN .. ":[\t -~\128-\255]*\r?$"
local CHUNK_LINE, CHUNK_LINE_BEGUN = "^(%x+)%f[;\0][\t -~\128-\255]*$", "^(%x*)%f[;\r\0][\t -~\128-\255]*\r?$"
local CHUNK_DIGITS_MAX = 13 -- what HAProxy takes; far above the 16 MiB that the gateway takes
local REQUEST_ID = "^[%w._:-]+$"
local REQUEST_ID_MAX = 128
local NAME = "^[%w!$%%&'()*+%-.;=_~]+$" -- without the comma, at which HAProxy takes a Host for two
local WEBSOCKET_KEY_CHARACTERS = 24

local titles = {
    ["400"] = "Bad Request",
    ["408"] = "Request Timeout",
    ["414"] = "URI Too Long",
    ["429"] = "Too Many Requests",
    ["431"] = "Request Header Fields Too Large",
    ["505"] = "HTTP Version Not Supported",
}

-- The values of the fields that are looked at here, by lower-case name, and how many fields there are; nil and the fault if a line is no field.
local function read_fields(lines)
    local count = 0
    local found = { ["content-length"] = {}, ["transfer-encoding"] = {}, host = {}, upgrade = {}, ["sec-websocket-key"] = {} }
    for line in lines:gmatch("(.-)\r\n") do
        local name, value = line:match(FIELD)
        if name == nil then
            return nil, "400 A header field is malformed."
        end
        if #name > FIELD_NAME_MAX then
            return nil, "431 A header field's name is longer than 255 bytes."
        end
        count = count + 1
        local values = found[name:lower()]
        if values ~= nil then
            values[#values + 1] = value:match("^(.-)[\t ]*$")
        end
    end
    return found, count
end

-- uri-host [":" port], as services/gateway/host.c has it.
local function is_host(text)
    local literal, port = text:match("^%[([%x:.]+)%](.*)$")
    if literal == nil then
        local name
        name, port = text:match("^([^:]+)(.*)$")
        if name == nil or not name:find(NAME) or name:gsub("%%%x%x", ""):find("%", 1, true) then
            return false
        end
    elseif not literal:find(":", 1, true) or core.parse_addr(literal) == nil then
        return false
    end
    return port == "" or (port:find("^:%d*$") ~= nil and (tonumber(port:sub(2)) or 0) <= PORT_MAX)
end

local function size_fault(line_bytes, section_bytes)
    if line_bytes > LINE_MAX then
        return "414 The request line is longer than 8 KiB."
    end
    if section_bytes > SECTION_MAX then
        return "431 The header section is longer than 16 KiB."
    end
end

local function framing_fault(method, lengths, encodings, version)
    if #encodings > 0 and (#encodings > 1 or #lengths > 0 or version == "1.0" or encodings[1]:lower() ~= "chunked") then
        return "400 Transfer-Encoding must be chunked, alone, once, in HTTP/1.1."
    end
    if #lengths > 1 or (#lengths == 1 and not (lengths[1]:find("^%d+$") and #lengths[1] < 19)) then
        return "400 Content-Length must be one number."
    end
    if version == "1.0" and WITHOUT_BODY[method] and #lengths > 0 and lengths[1]:find("[1-9]") then
        return "400 GET, HEAD and DELETE have no body in HTTP/1.0." -- so HAProxy has it
    end
end

-- As much of a trailer section as came with the head.
local function trailers_fault(trailers)
    if trailers:sub(1, 2) == "\r\n" then
        return nil
    end
    local section_end = trailers:find("\r\n\r\n", 1, true)
    local lines = section_end and trailers:sub(1, section_end + 1) or trailers:match("^.*\r\n") or ""
    local begun = section_end and "" or trailers:sub(#lines + 1)
    local fields, count_or_fault = read_fields(lines)
    if fields == nil then
        return count_or_fault
    end
    if count_or_fault > FIELDS_MAX then
        return "431 There are more than 100 trailer fields."
    end
    if #fields["content-length"] > 0 or #fields["transfer-encoding"] > 0 then
        return "400 The trailer section names a length of the body."
    end
    if not (begun == "" or begun == "\r" or begun:find("^" .. TOKEN .. "$") or begun:find(FIELD_BEGUN)) then
        return "400 A header field is malformed."
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
    return trailers_fault(body:sub(at))
end

-- RFC 9112 3.2: a path, what Host says in absolute form, an authority for CONNECT, * for OPTIONS.
local function target_fault(method, target, host)
    local authority, path = target:match("^%a[%w+.-]*://([^/?]+)(.*)$")
    if method == "CONNECT" then
        authority, path = target:find(":%d+$") and target, ""
    end
    if authority then
        if host ~= nil and authority:lower() ~= host:lower() then
            return "400 The request target and Host name different authorities."
        end
        if not is_host(authority) or path:find("^?") then -- HAProxy's authority ends at a slash
            return "400 The request target is malformed."
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
    if method == "PRI" then -- of any version: HAProxy knows it for HTTP/2
        return nil, "400 HTTP/2 is not spoken here."
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
    local too_large = size_fault(line_end - 1, #head - line_end + 1)
    if too_large then
        return too_large
    end
    local fields, count_or_fault = read_fields(head:sub(line_end + 2))
    if fields == nil then
        return count_or_fault
    end
    if count_or_fault > FIELDS_MAX then
        return "431 There are more than 100 header fields."
    end
    local hosts = fields.host
    if #hosts > 1 or (#hosts == 0 and version == "1.1") then
        return "400 There must be one Host field."
    end
    if #hosts == 1 and hosts[1] ~= "" and not is_host(hosts[1]) then
        return "400 The Host field is malformed."
    end
    -- RFC 6455 4.2.1. Upgrades aren't taken, but HAProxy holds them to this.
    local keys = fields["sec-websocket-key"]
    if table.concat(fields.upgrade, ","):lower():find("websocket", 1, true) and not (#keys == 1 and #keys[1] == WEBSOCKET_KEY_CHARACTERS) then
        return "400 An upgrade to WebSocket needs one Sec-WebSocket-Key of 16 bytes."
    end
    return framing_fault(method, fields["content-length"], fields["transfer-encoding"], version) or target_fault(method, target, hosts[1])
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
    local too_large = size_fault((line_end or #bytes) - 1, line_end and #bytes - line_end - 1 or 0)
    if too_large then
        return too_large
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

-- "http": HAProxy may read on; "ended": it may, and knows that nothing more will come. "": more bytes are needed. Else the status and detail of the refusal.
core.register_fetches("first_request", function(txn)
    local bytes = without_empty_lines(txn.f:req_payload(0, 0) or "")
    local head_end = bytes:find("\r\n\r\n", 1, true)
    if head_end then
        return request_fault(bytes:sub(1, head_end + 1), bytes:sub(head_end + 4)) or (txn.req:may_recv() and "http" or "ended")
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
