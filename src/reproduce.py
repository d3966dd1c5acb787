from thermal_landmarks.commands.reproduce import main

if __name__ == "__main__":
    main()
