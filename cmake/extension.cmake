# Services beside the built-in ones, each a folder of its own under examples/ or extensions/: its .proto, program, migrations, compose.yaml and tests.
# The folder's .proto joins the contract, so that the gateway has its routes; no other line of the build names it.
#   QUIRE_EXTENSIONS   ALL (every such folder, as the tests want it) or a list of folders, as "examples/stats;extensions/hello"
set(QUIRE_EXTENSIONS ALL CACHE STRING "Folders of services beside the built-in ones: ALL, or a list")

file(GLOB found CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} examples/*/CMakeLists.txt extensions/*/CMakeLists.txt)
set(quire_extension_folders ${QUIRE_EXTENSIONS})
if(QUIRE_EXTENSIONS STREQUAL "ALL")
    list(TRANSFORM found REPLACE "/CMakeLists.txt$" "" OUTPUT_VARIABLE quire_extension_folders)
endif()
foreach(folder ${quire_extension_folders})
    if(NOT EXISTS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt)
        message(FATAL_ERROR "QUIRE_EXTENSIONS names ${folder}, which has no CMakeLists.txt.")
    endif()
    list(APPEND QUIRE_PROTO_PATHS ${PROJECT_SOURCE_DIR}/${folder})
endforeach()

# quire_extension(stats): a library of the folder's *.c, the program quire-stats of main.c, and a unit test of each tests/*_test.c.
function(quire_extension name)
    file(GLOB sources CONFIGURE_DEPENDS *.c)
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/main.c)
    add_library(quire_${name} STATIC ${sources})
    target_include_directories(quire_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(quire_${name} PUBLIC quire_runtime quire_text quire_contract PkgConfig::ICU PRIVATE quire_warnings quire_sanitizers)
    add_executable(quire-${name} main.c)
    target_link_libraries(quire-${name} PRIVATE quire_${name} quire_warnings quire_sanitizers)
    if(QUIRE_TESTS)
        pkg_check_modules(CUNIT REQUIRED IMPORTED_TARGET cunit)
        file(GLOB tests CONFIGURE_DEPENDS tests/*_test.c)
        foreach(source ${tests})
            get_filename_component(test ${source} NAME_WE)
            add_executable(${name}_${test} ${source})
            target_include_directories(${name}_${test} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
            target_link_libraries(${name}_${test} PRIVATE quire_${name} PkgConfig::CUNIT quire_warnings quire_sanitizers)
            add_test(NAME ${name}.${test} COMMAND ${name}_${test})
        endforeach()
    endif()
endfunction()

find_package(Python3 REQUIRED COMPONENTS Interpreter)

# quire_python_extension(tags): the program quire-tags, one executable file (zipapp, PEP 441) of the folder's *.py and of what protoc makes of the
# .proto files that it names, given as they are imported.
function(quire_python_extension name)
    file(GLOB sources CONFIGURE_DEPENDS *.py)
    set(tree ${CMAKE_CURRENT_BINARY_DIR}/tree)
    set(includes -I${CMAKE_CURRENT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/proto -I${PROTOBUF_PROTOS} -I${GOOGLEAPIS_PROTOS})
    file(GLOB protos CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.proto ${PROJECT_SOURCE_DIR}/proto/quire/*.proto)
    add_custom_command(
        OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/quire-${name}
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${tree}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${tree}
        COMMAND ${CMAKE_COMMAND} -E copy ${sources} ${tree}
        COMMAND ${PROTOC} ${includes} --python_out=${tree} ${ARGN}
        COMMAND ${Python3_EXECUTABLE} -m zipapp ${tree} -p "/usr/bin/env python3" -o ${CMAKE_CURRENT_BINARY_DIR}/quire-${name}
        COMMAND chmod 755 ${CMAKE_CURRENT_BINARY_DIR}/quire-${name} # zipapp makes it its owner's only
        DEPENDS ${sources} ${protos}
        COMMENT "quire-${name} of Python"
        VERBATIM)
    add_custom_target(quire_${name} ALL DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/quire-${name})
endfunction()
