from thermal_landmarks.commands.render_sequence import main

if __name__ == "__main__":
    main()
